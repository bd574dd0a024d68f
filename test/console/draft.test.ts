import { expect, test } from 'vitest'
import { draftOf } from '../../console/src/try/draft.js'
import type { EventDetail } from '../../src/tap/line.js'

const DETAIL: EventDetail = {
  kind: 'event',
  number: 1,
  time: '2026-01-01T00:00:00.000Z',
  pipeline: 'orders',
  outcome: 'delivered',
  ms: 1,
  violations: [],
  times: [],
  attempts: [],
  payload: '{"a":[1.0]}',
}

test('an event is tried with its JSON, or with the text that was received and its type', () => {
  expect(draftOf(DETAIL)).toEqual({
    ...{ pipeline: 'orders', form: 'text' },
    body: '{\n  "a": [\n    1.0\n  ]\n}',
  })
  const received = { type: 'text/xml', text: '<a>1</a>' }
  expect(draftOf({ ...DETAIL, payload: '{"a":"1"}', received })).toEqual({
    ...{ pipeline: 'orders', form: 'text' },
    body: '<a>1</a>',
    headers: 'Content-Type: text/xml',
  })
})

test('an event that is no text is tried with its bytes', () => {
  const received = { type: 'image/png', hex: '8950ff' }
  expect(draftOf({ ...DETAIL, payload: 'null', received })).toEqual({
    ...{ pipeline: 'orders', form: 'hex', body: '89 50 ff' },
    headers: 'Content-Type: image/png',
  })
})

test('line ends of two characters, which a field for text would change, stay as they are', () => {
  const received = { text: '--a\r\n\r\n1\r\n--a--' }
  expect(draftOf({ ...DETAIL, received })).toMatchObject({ form: 'crlf', body: '--a\n\n1\n--a--' })
})

test.each<[string, Partial<EventDetail>]>([
  ['is cut', { cut: true }],
  ['is received as text of which only the beginning is here', { received: { text: 'a=1', cut: true } }],
  [
    'is received as bytes of which only the first are here',
    { payload: 'null', received: { hex: '1f8b', cut: true } },
  ],
  ['is not shown', { payload: 'null', received: { unshown: 'It has a secret of the config.' } }],
])('an event whose body %s is not tried', (_, more) => {
  expect(draftOf({ ...DETAIL, ...more })).toBeUndefined()
})
