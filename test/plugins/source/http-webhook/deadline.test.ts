import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { milliseconds } from '../../../../src/lib/units.js'
import { Deadline } from '../../../../src/plugins/source/http-webhook/deadline.js'

describe('deadline', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('does not call for an operation that ended in time', () => {
    const deadline = new Deadline(1000)
    const late = vi.fn()
    deadline.end(deadline.begin(late))
    vi.advanceTimersByTime(2000)
    expect(late).not.toHaveBeenCalled()
  })

  it('calls once for a late operation, and not again when it ends', () => {
    const deadline = new Deadline(1000)
    const late = vi.fn()
    const due = deadline.begin(late)
    vi.advanceTimersByTime(999)
    expect(late).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(late).toHaveBeenCalledTimes(1)
    deadline.end(due)
    vi.advanceTimersByTime(2000)
    expect(late).toHaveBeenCalledTimes(1)
  })

  it('has one timer for all operations, and none without operations', () => {
    const deadline = new Deadline(1000)
    const late = [vi.fn(), vi.fn(), vi.fn()] as const
    const first = deadline.begin(late[0])
    vi.advanceTimersByTime(400)
    deadline.begin(late[1])
    deadline.begin(late[2])
    expect(vi.getTimerCount()).toBe(1)
    deadline.end(first)
    vi.advanceTimersByTime(999)
    expect(late.map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0])
    vi.advanceTimersByTime(1)
    expect(late.map(({ mock }) => mock.calls.length)).toEqual([0, 1, 1])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('waits longer than a timer of Node.js can', () => {
    const deadline = new Deadline(milliseconds('30d'))
    const late = vi.fn()
    const started = vi.spyOn(globalThis, 'setTimeout')
    deadline.begin(late)
    vi.advanceTimersByTime(milliseconds('1h'))
    expect(started).toHaveBeenCalledTimes(1)
    started.mockRestore()
    vi.advanceTimersByTime(milliseconds('30d'))
    expect(late).toHaveBeenCalledTimes(1)
  })

  it('keeps the deadline of each of thousands, in any order of ending', () => {
    const deadline = new Deadline(1000)
    const late = vi.fn()
    const dues = Array.from({ length: 5000 }, () => deadline.begin(late))
    for (const [index, due] of dues.entries()) if (index % 5 !== 0) deadline.end(due)
    vi.advanceTimersByTime(1000)
    expect(late).toHaveBeenCalledTimes(1000)
  })
})
