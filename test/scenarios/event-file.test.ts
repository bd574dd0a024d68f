import { expect, test } from 'vitest'
import { readCaptured, readEvent, readEventFile } from '../../src/scenarios/event-file.js'

const REQUEST = '{"method":"POST","path":"/in","query":"a=1","headers":{"X-Kind":"push"}}'
const READ = { method: 'POST', path: '/in', query: 'a=1', headers: { 'x-kind': 'push' } }

test('an event with its request is read, and its body stays as it is written', () => {
  expect(readEvent(`{"request":${REQUEST}, "event": { "n": 9007199254740993,  "x": 1.0 } }`)).toEqual({
    request: READ,
    body: '{ "n": 9007199254740993,  "x": 1.0 }',
  })
  expect(readEvent(`{"event": [1] , "request": {}}`)).toEqual({ request: {}, body: '[1]' })
  expect(readEvent(`{"request": {"headers": {}}, "text": "a=b"}`)).toEqual({
    request: { headers: {} },
    body: 'a=b',
  })
})

test.each([
  '{"event":"x"}',
  '{"request":{"headers":{"a":"b"}}}',
  '{"request":{"id":"req_1"},"event":{}}',
  '{"request":{"headers":{"a":1}},"event":{}}',
  '{"request":{},"event":{},"id":"evt_1"}',
  '{"request":{},"text":1}',
  '{"request":{},"request":{},"event":{}}',
  '[]',
  'null',
  '{',
  '',
])('any other text is a body: %s', (text) => {
  expect(readEvent(text)).toEqual({ body: text })
})

test('the bytes of a body stay as they are, UTF-8 or not', () => {
  for (const bytes of [Buffer.from([0xff, 0x7b]), Buffer.from('\ufeff{}')])
    expect(readEventFile(bytes).body).toBe(bytes)
  expect(readEventFile(Buffer.from('{"request":{},"event":{}}'))).toEqual({
    request: {},
    body: Buffer.from('{}'),
  })
})

test('lines can be dead letters, events with their requests, and bodies', () => {
  const letter = { id: 'a', pipeline: 'orders', headers: [], value: '{}', valueEncoding: 'utf-8' }
  const request = { headers: { 'x-kind': 'push' } }
  const lines = [
    JSON.stringify({ ...letter, request }),
    JSON.stringify(letter),
    JSON.stringify({ request, event: 1 }),
    '{"n":1}',
    JSON.stringify({ ...letter, valueEncoding: 'base64' }),
  ]
  expect(readCaptured(lines.join('\r\n\r\n'))).toMatchObject({
    events: [
      { line: 1, body: '{}', request, letter: { id: 'a', pipeline: 'orders' } },
      { line: 3, body: '{}', letter: { id: 'a' } },
      { line: 5, body: '1', request },
      { line: 7, body: '{"n":1}' },
    ],
    skipped: ['line 9 is not UTF-8'],
  })
})
