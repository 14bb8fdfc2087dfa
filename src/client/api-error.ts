import { type components } from './api.ts'

type Responses = components['responses']

/** Of an error answer, by its `code`; docs/ERRORS.md explains each. */
export type ErrorCode =
  | Responses[keyof Responses]['content']['application/problem+json']['code']
  /** the object is still the one that `if-none-match` names */
  | 'not_modified'
  /** an answer that is none of this API's: something between, or another server */
  | 'unexpected_answer'

/** An answer that is no success. `message` says for people what is wrong, and often what would help. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ErrorCode
  readonly status: number
  /** which field, parameter or header is wrong, e.g. `alerts/0/threshold` */
  readonly field: string | null
  /** what would be right */
  readonly expected: string | null
  /** by which the gateway's log names the request */
  readonly requestId: string | null
  /** seconds after which the same request may succeed */
  readonly retryAfter: number | null

  constructor (response: Pick<Response, 'status' | 'headers'>, problem: Partial<components['schemas']['Problem']>) {
    super(problem.detail ?? `The answer has status ${response.status}, and is none of the API's`)
    this.code = (problem.code ?? (response.status === 304 ? 'not_modified' : 'unexpected_answer')) as ErrorCode
    this.status = response.status
    this.field = problem.field ?? null
    this.expected = problem.expected ?? null
    this.requestId = problem.requestId ?? null
    this.retryAfter = retryAfterOf(response.headers)
  }

  static async of (response: Response): Promise<ApiError> {
    const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true
    const body: unknown = isProblem ? await response.json() : await response.text()
    return new ApiError(response, typeof body === 'object' && body !== null ? body : {})
  }
}

/** seconds; a date is not what this API sends */
export function retryAfterOf (headers: Headers): number | null {
  const value = headers.get('retry-after')
  return value !== null && /^\d{1,9}$/.test(value) ? Number(value) : null
}
