import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { HeadgateError } from '../../../../src/contract/errors.js'
import { type Grant, type Token, TokenSource } from '../../../../src/plugins/post-commit/cxone-ack/token.js'

const MINUTE = 60_000
const down = () => new HeadgateError('HG_ACK_TOKEN', 'down')
const ignore = { issued: () => undefined, failed: () => undefined }

/** An endpoint whose responses are numbered tokens, or an error where `answer` throws. */
function source(answer: (count: number) => Partial<Grant> = () => ({})) {
  const request = vi.fn(async (): Promise<Grant> => {
    const count = request.mock.calls.length
    return { accessToken: `t${count}`, lifetime: 10 * MINUTE, ...answer(count) }
  })
  return { request, tokens: new TokenSource(request, ignore) }
}

beforeEach(() => {
  vi.useFakeTimers()
  onTestFinished(() => {
    vi.useRealTimers()
  })
})

test('one request serves all who wait', async () => {
  const { request, tokens } = source()

  const waiters = await Promise.all([tokens.fetch(), tokens.fetch(), tokens.fetch()])

  expect(new Set(waiters).size).toBe(1)
  expect(request).toHaveBeenCalledOnce()
  expect(tokens.current()?.authorization).toBe('Bearer t1')
})

test('a successor is asked for between 75 % and 85 % of the lifetime, once, while the old token serves', async () => {
  const { request, tokens } = source()
  await tokens.fetch()

  vi.advanceTimersByTime(7.4 * MINUTE)
  expect(tokens.current()?.authorization).toBe('Bearer t1')
  expect(request).toHaveBeenCalledTimes(1)

  vi.advanceTimersByTime(1.2 * MINUTE)
  expect(tokens.current()?.authorization).toBe('Bearer t1')
  expect(tokens.current()?.authorization).toBe('Bearer t1')
  expect(request).toHaveBeenCalledTimes(2)

  await vi.advanceTimersByTimeAsync(0)
  expect(tokens.current()?.authorization).toBe('Bearer t2')
})

test('sources that start together do not renew together', async () => {
  const renewals = new Set<number>()
  for (let n = 0; n < 20; n++) {
    const { tokens } = source()
    renewals.add((await tokens.fetch()).refreshAt)
  }
  expect(renewals.size).toBeGreaterThan(1)
})

test('an expired token is not used', async () => {
  const { tokens } = source()
  await tokens.fetch()

  vi.advanceTimersByTime(10 * MINUTE)

  expect(tokens.current()).toBeUndefined()
})

test('without a lifetime in the response, a token is taken to live for five minutes', async () => {
  const { tokens } = source(() => ({ lifetime: undefined }))
  const token = await tokens.fetch()
  expect(token.expiresAt - performance.now()).toBe(5 * MINUTE)
})

test('setting the wall clock does not make a token expire', async () => {
  const { tokens } = source()
  const token = await tokens.fetch()

  vi.setSystemTime(Date.now() + 365 * 24 * 60 * MINUTE)

  expect(tokens.current()).toBe(token)
})

test('an endpoint that fails is asked at growing distances, up to half a minute', async () => {
  const { request, tokens } = source(() => {
    throw down()
  })
  const askedAt: number[] = []
  for (let second = 0; second < 600; second++) {
    const before = request.mock.calls.length
    await expect(tokens.fetch()).rejects.toMatchObject({ code: 'HG_ACK_TOKEN', message: 'down' })
    if (request.mock.calls.length > before) askedAt.push(second)
    vi.advanceTimersByTime(1000)
  }
  const distances = askedAt.slice(1).map((second, index) => second - (askedAt[index] ?? 0))
  expect(distances[0]).toBe(1)
  expect(Math.max(...distances)).toBeLessThanOrEqual(30)
  for (const distance of distances.slice(6)) expect(distance).toBeGreaterThanOrEqual(15)
})

test('a refused token is not used again, and refusing it late does not harm its successor', async () => {
  const { request, tokens } = source()
  const first = await tokens.fetch()
  tokens.accept(first)

  tokens.refuse(first)
  expect(tokens.current()).toBeUndefined()
  const second = await tokens.fetch()
  tokens.refuse(first)

  expect(tokens.current()).toBe(second)
  expect(request).toHaveBeenCalledTimes(2)
})

test('tokens that never work are asked for at growing distances; one that works ends that', async () => {
  const { request, tokens } = source()
  const refuseNext = async (): Promise<Token> => {
    const token = await tokens.fetch()
    tokens.refuse(token)
    return token
  }
  await refuseNext()
  await refuseNext()
  await expect(tokens.fetch()).rejects.toMatchObject({ code: 'HG_ACK_TOKEN' })
  expect(request).toHaveBeenCalledTimes(2)

  vi.advanceTimersByTime(30_000)
  const working = await tokens.fetch()
  tokens.accept(working)
  tokens.refuse(working)

  await expect(tokens.fetch()).resolves.toMatchObject({ authorization: 'Bearer t4' })
})
