import t from 'tap'
import { isCountedUnit, isInputUnit, isOutputUnit, isToolUnit, UNIT } from '../../src/usage/units.ts'
import { tokensIn, tokensOut } from '../../src/usage/usage.ts'
import { aUsage } from '../pricing/builders.ts'

t.test('tokens that are no text are tokens too, and what is counted otherwise is none', async (t) => {
  const text = { inputTokens: 1, cacheReadTokens: 2, cacheWrite5mTokens: 3, cacheWrite1hTokens: 4, outputTokens: 5 }
  t.equal(tokensIn(aUsage(text)), 10)
  t.equal(tokensOut(aUsage(text)), 5)
  const units = { inputAudioTokens: 10, cachedImageTokens: 20, outputImageTokens: 40, seconds: 1_000, fileSearches: 9 }
  t.equal(tokensIn(aUsage({ ...text, units })), 40)
  t.equal(tokensOut(aUsage({ ...text, units })), 45)
})

t.test('every unit is of exactly one sort, and nothing else is a unit', async (t) => {
  const pattern = new RegExp(UNIT)
  const units = [
    'inputAudioTokens', 'cachedAudioTokens', 'inputImageTokens', 'cachedImageTokens', 'inputVideoTokens', 'outputAudioTokens',
    'outputImageTokens', 'seconds', 'characters', 'pages', 'images', 'images/1024x1024', 'images/hd/1024x1792', 'requests', 'searchUnits',
    'fileSearches', 'codeSessions', 'groundedPrompts', 'groundedQueries',
  ]
  for (const unit of units) {
    t.ok(pattern.test(unit), unit)
    t.equal([isInputUnit, isOutputUnit, isCountedUnit].filter((is) => is(unit)).length, 1, unit)
    t.ok(!isToolUnit(unit) || isCountedUnit(unit), unit)
  }
  for (const unit of [
    '', 'tokens', 'inputTokens', 'webSearches', 'images/', 'images/A', 'Seconds', '__proto__', 'constructor', 'seconds/1',
  ]) {
    t.notOk(pattern.test(unit), unit)
    t.notOk(isInputUnit(unit) || isOutputUnit(unit) || isCountedUnit(unit) || isToolUnit(unit), unit)
  }
})
