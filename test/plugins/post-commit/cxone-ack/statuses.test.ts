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

test.each([
  ['a status in two lists', { giveUp: [404, 409] }, '/statuses/giveUp/1', '409 belongs to `success`'],
  [
    'a status in the class of another list',
    { giveUp: [503] },
    '/statuses/giveUp/0',
    '503 belongs to `retry`',
  ],
  [
    'a class with a status of another list',
    { giveUp: ['4xx'] },
    '/statuses/giveUp/0',
    '408 belongs to `retry`',
  ],
  ['401, which is no list’s to say', { retry: [429, 401] }, '/statuses/retry/1', '401 belongs to none'],
  ['a throttle that is not retried', { throttle: [429, 420] }, '/statuses/throttle/1', 'not in `retry`'],
])('%s is a conflict, reported with its place', (_case, changed, at, message) => {
  expect(problems(changed)).toContainEqual(
    expect.objectContaining({ at, code: 'HG_CONFIG_CONFLICT', message: expect.stringContaining(message) }),
  )
})
