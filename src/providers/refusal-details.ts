import { remedyOf, toldOf } from '../error-codes.ts'
import { type Refusal } from '../errors.ts'

/** What every envelope says of a refusal besides its own fields. */
export function refusalDetails (refusal: Refusal, callId: string) {
  return { code: refusal.code, callId, remedy: remedyOf(refusal), budget: refusal.budget ?? null }
}

/** for envelopes that have no place for the field that is wrong */
export function messageWithField (refusal: Refusal): string {
  const { field } = refusal
  const message = toldOf(refusal)
  return field === undefined || message.includes(field) ? message : `${field}: ${message}`
}
