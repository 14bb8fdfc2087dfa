/** Where somebody on this machine reaches what listens there; what listens on all addresses, on the one to itself. */
export function ownUrl (host: string, port: number): string {
  const at = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${at.includes(':') ? `[${at}]` : at}:${port}`
}
