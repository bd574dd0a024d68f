import { expect, test } from 'vitest'
import { type LetterFilter, matcherOf } from '../../src/dead-letters/filter.js'
import type { DeadLetter } from '../../src/dead-letters/letter.js'

const LETTER: DeadLetter = {
  ...{ topic: 'dlq', partition: 0, offset: 12, timestamp: 1000, id: 'Order-17', digest: 'd' },
  ...{ contentType: undefined, pipeline: 'orders', revision: 'abc', stage: 'transform.1.route' },
  ...{ plugin: 'route', code: 'HG_ROUTE_REFUSED', message: 'No region in Örebro.', rule: 'eu-west' },
  ...{ traceparent: undefined, tracestate: undefined, violations: [], request: undefined },
}
const at = (offset: number, topic?: string) => ({ topic, partition: 0, offset })

test.each<[string, LetterFilter, LetterFilter]>([
  ['its code', { code: 'HG_ROUTE_REFUSED' }, { code: 'HG_ROUTE' }],
  ['its stage', { stage: 'transform.1.route' }, { stage: 'transform.0.route' }],
  ['the plugin of its stage', { stage: 'route' }, { stage: 'json-schema' }],
  ['its rule', { rule: 'eu-west' }, { rule: 'eu' }],
  ['its id', { id: 'Order-17' }, { id: 'Order-1' }],
  ['a part of its id, in any case', { text: 'order-1' }, { text: 'order-2' }],
  ['a part of its message', { text: 'ÖREBRO' }, { text: 'eu-west' }],
  ['the first moment', { since: 1000 }, { since: 1001 }],
  ['the last moment', { until: 1000 }, { until: 999 }],
  ['its kind', { isFailedAck: false }, { isFailedAck: true }],
  ['its position', { refs: [at(3), at(12)] }, { refs: [at(3)] }],
  ['its position in its topic', { refs: [at(12, 'other'), at(12, 'dlq')] }, { refs: [at(12, 'other')] }],
  ['all of several filters', { code: 'HG_ROUTE_REFUSED', since: 0 }, { code: 'HG_ROUTE_REFUSED', until: 0 }],
])('a dead letter is selected by %s', (_, matching, other) => {
  expect(matcherOf(matching)(LETTER)).toBe(true)
  expect(matcherOf(other)(LETTER)).toBe(false)
})

test('an empty filter selects every dead letter, and an empty list of positions none', () => {
  expect(matcherOf({})(LETTER)).toBe(true)
  expect(matcherOf({ refs: [] })(LETTER)).toBe(false)
})
