/** Milliseconds since the epoch. Injected wherever time decides something, so that tests own it. */
export type Now = () => number

export const systemNow: Now = () => Date.now()
