import { expect, test } from 'vitest'
import type { DryRunCall } from '../../src/dry-run/dry-run.js'
import { acknowledgeDifferences } from '../../src/scenarios/run.js'

const call = (method: string, url: string, body = ''): DryRunCall => ({
  stage: 'post-commit.0.cxone-ack',
  method,
  url,
  headers: {},
  body,
})
const fields = (...given: Parameters<typeof acknowledgeDifferences>) =>
  acknowledgeDifferences(...given).map(({ field }) => field)
const none = () => ''

test('one of several requests has to fit; where none does, the nearest is shown', () => {
  const calls = [call('POST', '/audit'), call('PUT', '/ack', '{"a":1}')]
  expect(fields({ method: 'PUT', url: '/ack' }, none, calls)).toEqual([])
  expect(fields({ method: 'PUT', url: '/ack', body: { a: 2 } }, () => '{"a":2}', calls)).toEqual([
    'acknowledge body /a',
  ])
  expect(fields({ method: 'POST', url: '/ack2' }, none, calls)).toEqual(['acknowledge url'])
})

test('that there is a request, or none, can be expected without its details', () => {
  expect(fields(true, none, [call('POST', '/ack')])).toEqual([])
  expect(fields(true, none, [])).toEqual(['acknowledge'])
  expect(fields(false, none, [])).toEqual([])
  expect(acknowledgeDifferences(false, none, [call('POST', '/ack')])).toEqual([
    { field: 'acknowledge', expected: 'false', found: 'POST /ack' },
  ])
})

test('a body that is no JSON is compared as text', () => {
  const calls = [call('POST', '/ack', 'done')]
  expect(fields({ body: 'done' }, () => '"done"', calls)).toEqual([])
  expect(acknowledgeDifferences({ body: 'open' }, () => '"open"', calls)).toEqual([
    { field: 'acknowledge body', expected: '"open"', found: '"done"' },
  ])
})
