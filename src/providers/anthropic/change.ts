import { isObject } from '../body.ts'
import { changedBody, withMembers } from '../changed-body.ts'
import { topLevelElements, topLevelMembers } from '../json-scan.ts'
import { type CallChanges } from '../provider.ts'
import { unsaidOf } from './request.ts'

/**
 * The body with another model, with no output limit above the lower one, and with what bounds its tools at the provider
 * where it does not say so itself, so that the provider keeps to it; unchanged around them.
 */
export function changedMessages (body: unknown, bytes: Buffer, changes: CallChanges): Buffer {
  const changed = changedBody(body, bytes, changes, ['max_tokens'])
  const tools = isObject(body) && Array.isArray(body['tools']) ? body['tools'] as unknown[] : []
  if (tools.every((tool) => unsaidOf(tool) === null)) return changed
  const member = topLevelMembers(changed).find(({ key }) => key === 'tools')
  if (member === undefined) return changed
  const list = changed.subarray(member.valueStart, member.valueEnd)
  const said = topLevelElements(list).map(({ start, end }, i) => {
    const unsaid = unsaidOf(tools[i])
    return unsaid === null ? list.subarray(start, end) : withMembers(list.subarray(start, end), unsaid)
  })
  return withMembers(changed, new Map([['tools', `[${said.join()}]`]]))
}
