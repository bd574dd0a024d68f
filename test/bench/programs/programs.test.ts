import { expect, test } from 'vitest'
import { readBackRate } from '../../../bench/programs/programs.js'

const line = (msg: string, time: string, records: number) =>
  JSON.stringify({ level: 'info', time: `2026-01-01T00:00:${time}Z`, records, msg })

test('the rate of a read-back is that of its records between its two log lines', () => {
  const lines = [
    line('catching up with Kafka', '01.000', 100_000),
    '{}',
    line('caught up with Kafka', '03.500', 100_000),
  ]
  expect(readBackRate(lines)).toBe(40_000)
})

test('there is no rate where nothing was read, or too little to tell', () => {
  expect(readBackRate([])).toBeUndefined()
  expect(
    readBackRate([line('catching up with Kafka', '01.000', 5), line('caught up with Kafka', '01.100', 5)]),
  ).toBeUndefined()
})
