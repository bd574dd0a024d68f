import { expect, test, vi } from 'vitest'
import { createOutstanding, type Sent } from '../../../../src/plugins/sink/kafka/outstanding.js'

const sent = () => ({ target: { topic: 'orders' }, resolve: vi.fn(), reject: vi.fn() }) satisfies Sent
const never = new AbortController().signal

test('hands a record out once, to the first report about it', () => {
  const outstanding = createOutstanding()
  const record = sent()
  const opaque = outstanding.nextOpaque()
  outstanding.add(opaque, record)
  expect(outstanding.nextOpaque()).not.toBe(opaque)
  expect(outstanding.settle(opaque)).toBe(record)
  expect(outstanding.settle(opaque)).toBeUndefined()
  expect(outstanding.count()).toBe(0)
})

test('gives all of them up as uncertain, and knows nothing of them afterwards', () => {
  const outstanding = createOutstanding()
  const records = [sent(), sent()]
  for (const [opaque, record] of records.entries()) outstanding.add(opaque, record)
  outstanding.giveUp('HG_KAFKA_NOT_DELIVERED', 'Headgate ended first')
  for (const { reject } of records) {
    expect(reject).toHaveBeenCalledWith(
      expect.objectContaining({ code: 'HG_KAFKA_NOT_DELIVERED', uncertain: true }),
    )
  }
  expect(outstanding.settle(0)).toBeUndefined()
})

test('is drained with the last report, at once where there is nothing, and early where that is wanted', async () => {
  const outstanding = createOutstanding()
  await outstanding.drained(never)
  outstanding.add(1, sent())
  outstanding.add(2, sent())
  let drained = false
  const waiting = outstanding.drained(never).then(() => {
    drained = true
  })
  outstanding.settle(1)
  await Promise.resolve()
  expect(drained).toBe(false)
  outstanding.settle(2)
  await waiting

  outstanding.add(3, sent())
  const aborter = new AbortController()
  const early = outstanding.drained(aborter.signal)
  aborter.abort()
  await early
  expect(outstanding.count()).toBe(1)
})

test('counts the time without a report only while one is awaited', () => {
  vi.useFakeTimers()
  try {
    const outstanding = createOutstanding()
    vi.advanceTimersByTime(5000)
    expect(outstanding.stalledFor()).toBe(0)
    outstanding.add(1, sent())
    outstanding.add(2, sent())
    vi.advanceTimersByTime(3000)
    expect(outstanding.stalledFor()).toBe(3000)
    outstanding.settle(1)
    expect(outstanding.stalledFor()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})
