import { expect, test, vi } from 'vitest'
import { RecordsInFlight, type Sent } from '../../../../../src/plugins/sink/kafka/producer/in-flight.js'

const sent = () => ({ target: { topic: 'orders' }, resolve: vi.fn(), reject: vi.fn() }) satisfies Sent
const never = new AbortController().signal

test('returns a record once, for the first report about it', () => {
  const inFlight = new RecordsInFlight()
  const record = sent()
  const opaque = inFlight.nextOpaque()
  inFlight.add(opaque, record)
  expect(inFlight.nextOpaque()).not.toBe(opaque)
  expect(inFlight.settle(opaque)).toBe(record)
  expect(inFlight.settle(opaque)).toBeUndefined()
  expect(inFlight.count).toBe(0)
})

test('gives all of them up as uncertain, and knows nothing of them afterwards', () => {
  const inFlight = new RecordsInFlight()
  const records = [sent(), sent()]
  for (const [opaque, record] of records.entries()) inFlight.add(opaque, record)
  inFlight.giveUp('HG_KAFKA_NOT_DELIVERED', 'Headgate ended first')
  for (const { reject } of records) {
    expect(reject).toHaveBeenCalledWith(
      expect.objectContaining({ code: 'HG_KAFKA_NOT_DELIVERED', uncertain: true }),
    )
  }
  expect(inFlight.settle(0)).toBeUndefined()
})

test('is drained with the last report, at once if there is nothing, and early if that is asked for', async () => {
  const inFlight = new RecordsInFlight()
  await inFlight.drained(never)
  inFlight.add(1, sent())
  inFlight.add(2, sent())
  let drained = false
  const waiting = inFlight.drained(never).then(() => {
    drained = true
  })
  inFlight.settle(1)
  await Promise.resolve()
  expect(drained).toBe(false)
  inFlight.settle(2)
  await waiting

  inFlight.add(3, sent())
  const aborter = new AbortController()
  const early = inFlight.drained(aborter.signal)
  aborter.abort()
  await early
  expect(inFlight.count).toBe(1)
})

test('counts the time without a report only while one is awaited', () => {
  vi.useFakeTimers()
  try {
    const inFlight = new RecordsInFlight()
    vi.advanceTimersByTime(5000)
    expect(inFlight.stalledFor()).toBe(0)
    inFlight.add(1, sent())
    inFlight.add(2, sent())
    vi.advanceTimersByTime(3000)
    expect(inFlight.stalledFor()).toBe(3000)
    inFlight.settle(1)
    expect(inFlight.stalledFor()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})
