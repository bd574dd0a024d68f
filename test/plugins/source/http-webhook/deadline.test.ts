import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { within } from '../../../../src/plugins/source/http-webhook/deadline.js'
import { deferred } from '../../../helpers/deferred.js'

describe('within', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('gives what the promise gives, and leaves no timer behind', async () => {
    expect(await within(1000, Promise.resolve('on time'), () => 'late')).toBe('on time')
    await expect(within(1000, Promise.reject(new Error('broken')), () => 'late')).rejects.toThrow('broken')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('gives the other answer when the time is over, whatever the promise does later', async () => {
    const { promise, reject } = deferred<string>()
    const answer = within(1000, promise, () => 'late')
    await vi.advanceTimersByTimeAsync(999)
    expect(await Promise.race([answer, 'undecided'])).toBe('undecided')
    await vi.advanceTimersByTimeAsync(1)
    expect(await answer).toBe('late')
    reject(new Error('nobody listens'))
    expect(await answer).toBe('late')
  })
})
