import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deadline } from '../../../../src/plugins/source/http-webhook/deadline.js'
import { deferred } from '../../../helpers/deferred.js'

describe('deadline', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('gives what the promise gives', async () => {
    const within = deadline(1000)
    expect(await within(Promise.resolve('on time'), () => 'late')).toBe('on time')
    await expect(within(Promise.reject(new Error('broken')), () => 'late')).rejects.toThrow('broken')
  })

  it('gives the other answer when the time is over, whatever the promise does later', async () => {
    const { promise, reject } = deferred<string>()
    const answer = deadline(1000)(promise, () => 'late')
    await vi.advanceTimersByTimeAsync(999)
    expect(await Promise.race([answer, 'undecided'])).toBe('undecided')
    await vi.advanceTimersByTimeAsync(1)
    expect(await answer).toBe('late')
    reject(new Error('nobody listens'))
    expect(await answer).toBe('late')
  })

  it('keeps one timer for all that wait, and none when nobody does', async () => {
    const within = deadline(1000)
    const never = new Promise<string>(() => {})
    const first = within(Promise.resolve('in time'), () => 'late')
    await vi.advanceTimersByTimeAsync(400)
    const second = within(never, () => 'late')
    const third = within(never, () => 'late')
    expect(vi.getTimerCount()).toBe(1)
    expect(await first).toBe('in time')
    await vi.advanceTimersByTimeAsync(999)
    expect(await Promise.race([second, third, 'undecided'])).toBe('undecided')
    await vi.advanceTimersByTimeAsync(1)
    expect(await Promise.all([second, third])).toEqual(['late', 'late'])
    expect(vi.getTimerCount()).toBe(0)
  })
})
