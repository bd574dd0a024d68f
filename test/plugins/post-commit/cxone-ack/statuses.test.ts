import { expect, test } from 'vitest'
import { statusMeanings, statusProblems } from '../../../../src/plugins/post-commit/cxone-ack/statuses.js'

const lists = { success: [200, 409], retry: [408, 429, '5xx'], throttle: [429] }
const problems = (changed: object) => [...statusProblems({ ...lists, ...changed }, '/statuses')]

test('each status means what its list says; those in no list are given up', () => {
  const meanings = statusMeanings(lists)
  const of = (meaning: string) => meanings.flatMap((found, status) => (found === meaning ? [status] : []))
  expect(of('success')).toEqual([200, 409])
  expect(of('throttle')).toEqual([429])
  expect(of('retry')).toEqual([401, 408, ...Array.from({ length: 100 }, (_, index) => 500 + index)])
  expect(meanings[404]).toBe('give-up')
  expect(meanings[302]).toBe('give-up')
})

test('with a list of what is given up, those in no list are retried', () => {
  const meanings = statusMeanings({ ...lists, giveUp: [404] })
  expect(meanings[404]).toBe('give-up')
  expect(meanings[403]).toBe('retry')
})

test('lists that share nothing have no problem', () => {
  expect(problems({})).toEqual([])
  expect(problems({ success: ['2xx', 409], giveUp: [404, '3xx'] })).toEqual([])
})

test('a status counts for more than the class that it is in, whatever the lists', () => {
  const changed = { ...lists, success: ['2xx', 409], retry: [202, 429, '5xx'], giveUp: [206, 501, '4xx'] }
  expect(problems(changed)).toEqual([])
  const meanings = statusMeanings(changed)
  expect([200, 202, 206, 226, 404, 409, 429, 500, 501].map((status) => meanings[status])).toEqual([
    ...['success', 'retry', 'give-up', 'success', 'give-up', 'success', 'throttle', 'retry', 'give-up'],
  ])
})

test.each([
  ['a status in two lists', { giveUp: [404, 409] }, '/statuses/giveUp/1', 'it belongs to `success`'],
  ['a class in two lists', { giveUp: ['5xx'] }, '/statuses/giveUp/0', 'it belongs to `retry`'],
  ['401, which is no list’s to say', { retry: [429, 401] }, '/statuses/retry/1', 'it belongs to none'],
  ['a throttle that is not retried', { throttle: [429, 420] }, '/statuses/throttle/1', 'not in `retry`'],
])('%s is a conflict, reported with its place', (_case, changed, at, message) => {
  expect(problems(changed)).toContainEqual(
    expect.objectContaining({ at, code: 'HG_CONFIG_CONFLICT', message: expect.stringContaining(message) }),
  )
})
