import { BodyMeter, type Facts, KeepingMeter, NOTHING_READ, textOrNull } from '../usage/body-meter.ts'
import { type Meter } from '../usage/meter.ts'
import { topLevelValues } from './json-scan.ts'

/** The answer to a file that was brought: kept back, as that of a job is, until it is known whose what it names is. */
export function fileMeter (contentEncoding: string): Meter {
  return new KeepingMeter(new BodyMeter(contentEncoding, idOf), 'all')
}

function idOf (text: Buffer): Facts {
  const id = textOrNull(topLevelValues(text, ['id'])?.['id'])
  return id === null ? NOTHING_READ : { ...NOTHING_READ, job: { id, over: false } }
}
