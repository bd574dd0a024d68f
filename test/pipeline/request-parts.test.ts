import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import type { RequestParts } from '../../src/contract/index.js'
import { ReceivedRequest } from '../../src/http/request.js'
import {
  fromWrittenRequest,
  MOST_REQUEST_BYTES,
  parseRequestText,
  requestReader,
  requestText,
} from '../../src/pipeline/request-parts.js'
import { runningPipeline } from '../helpers/pipelines/inline-pipeline.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { workerPair } from '../workers/worker-pair.js'

const request = (headers: { [name: string]: string | string[] } = {}, url = '/in?a=1&b=x%20y&a=2') =>
  new ReceivedRequest('POST', headers, url)

const read = (parts: readonly string[], from = request()) => requestReader(parts)?.(from)

test('without parts there is nothing to do', () => {
  expect(requestReader([])).toBeUndefined()
})

test('only the parts that are named are taken, headers in any case', () => {
  const from = request({ 'x-kind': 'push', 'x-other': 'secret' })
  expect(read(['header:X-Kind', 'header:x-kind', 'header:X-Absent'], from)).toEqual({
    headers: { 'x-kind': 'push' },
  })
  expect(read(['query:b', 'query:c'])).toEqual({ query: { b: 'x y' } })
  expect(read(['path', 'method'])).toEqual({ method: 'POST', path: '/in' })
})

test('several values are one text', () => {
  expect(read(['query:a'])).toEqual({ query: { a: '1, 2' } })
  expect(read(['header:set-cookie'], request({ 'set-cookie': ['a', 'b'] }))).toEqual({
    headers: { 'set-cookie': 'a, b' },
  })
})

test('a name that every object has is only a name', () => {
  const parts = ['header:constructor', 'header:__proto__', 'query:__proto__', 'query:constructor']
  expect(read(parts)).toEqual({ headers: {}, query: {} })
  const found = read(parts, request({}, '/?__proto__=a&constructor=b'))
  expect(Object.entries(found?.query ?? {})).toEqual([
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ])
})

test('bytes beyond ASCII are UTF-8 if they can be', () => {
  const asSent = (text: string, encoding: BufferEncoding) => Buffer.from(text, encoding).toString('latin1')
  const found = (header: string) => read(['header:x'], request({ x: header }))?.headers?.['x']
  expect(found(asSent('Zürich 東京', 'utf8'))).toBe('Zürich 東京')
  expect(found(asSent('Zürich', 'latin1'))).toBe('Zürich')
})

test('parts that do not fit into the headers of a record are refused, and never cut', () => {
  const fits = 'x'.repeat(MOST_REQUEST_BYTES - 30)
  expect(read(['header:x'], request({ x: fits }))).toEqual({ headers: { x: fits } })
  expect(() => read(['header:x'], request({ x: `${fits}${fits}` }))).toThrow(HeadgateError)
  expect(() => read(['query:q'], request({}, `/?q=${'%00'.repeat(1500)}`))).toThrow(HeadgateError)
})

const text = fc.string({ unit: 'grapheme' })
const names = fc.dictionary(
  text.filter((name) => name !== ''),
  text,
)
const parts = fc.record<RequestParts>(
  { method: text, path: text, headers: names, query: names },
  { requiredKeys: [] },
)

test('the text in a record is read back as the same parts, whatever they are', () => {
  fc.assert(
    fc.property(parts, (before) => {
      const written = parseRequestText(requestText(before))
      expect(written).toBeDefined()
      const after = fromWrittenRequest(written ?? {})
      const entries = ({ headers, query, ...others }: RequestParts) => ({
        ...others,
        headers: headers && Object.entries(headers),
        query: query && Object.entries(query),
      })
      expect(entries(after)).toEqual(entries(before))
    }),
  )
})

test.each([
  undefined,
  '',
  '[]',
  'null',
  '{"headers":{"a":1}}',
  '{"method":1}',
  '{"body":""}',
  '{"headers":[]}',
])('any other text is no request: %s', (found) => {
  expect(parseRequestText(found)).toBeUndefined()
})

const READING = { transforms: [{ plugin: 'everything', config: { reads: ['header:X-Kind', 'query:b'] } }] }
const PUSH = { headers: { 'x-kind': 'push' }, query: { b: 'x y' } }
const HEADER = { name: 'headgate-request', value: '{"headers":{"x-kind":"push"},"query":"b=x+y"}' }

test('a stage sees the parts that it reads, and the record has them', async () => {
  const { inline } = await runningPipeline(READING)
  const seen: unknown[] = []
  const { apply } = inline
  inline.apply = (event) => {
    seen.push(event.request)
    return apply(event)
  }
  await inline.intake(() => eventOf('a'), request({ 'x-kind': 'push', 'x-other': 'x' }))
  expect(seen).toEqual([PUSH])
  expect(inline.written[0]?.headers).toContainEqual(HEADER)
})

test('an event whose parts are too large is rejected, and its source is told', async () => {
  const { inline } = await runningPipeline(READING)
  expect(await inline.intake(() => eventOf('a'), request({ 'x-kind': 'x'.repeat(5000) }))).toMatchObject({
    kind: 'rejected',
    error: { code: 'HG_INTAKE_HEADERS_TOO_LARGE' },
  })
})

test('if no stage reads the request, neither event nor record has any of it', async () => {
  const { inline } = await runningPipeline()
  let seen: unknown
  const { apply } = inline
  inline.apply = (event) => {
    seen = event
    return apply(event)
  }
  await inline.intake(() => eventOf('a'), request({ 'x-kind': 'push' }))
  expect(seen).not.toHaveProperty('request')
  expect(inline.written[0]?.headers.map(({ name }) => name)).not.toContain('headgate-request')
})

test('with workers, the dead letter that the primary process makes has the parts, too', async () => {
  const { intake, inline } = await workerPair({
    ...READING,
    sink: { plugin: 'memory', onError: 'dead-letter' },
    deadLetter: { topic: 'dlq' },
  })
  inline.send = async ({ target }) => {
    if (target.topic !== 'dlq') throw new HeadgateError('HG_RECORD_TOO_LARGE', 'It is too large.')
  }
  expect(await intake(() => eventOf('a'), request({ 'x-kind': 'push' }))).toMatchObject({
    kind: 'dead-lettered',
  })
  expect(inline.written[0]?.headers).toContainEqual(HEADER)
})
