import { expect, onTestFinished, test, vi } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { AcknowledgedPositions } from '../../src/inbox/acknowledged-positions.js'
import { testContext } from '../helpers/context.js'

function setUp() {
  const present = new Map<number, number>()
  const { log, lines } = testContext()
  const positions = new AcknowledgedPositions({ positions: () => present }, log)
  const acknowledged = vi.fn<(offsets: ReadonlyMap<number, number>) => Promise<void>>(async () => {})
  const commit = () => positions.commit({ acknowledged })
  const committed = () => acknowledged.mock.calls.map(([offsets]) => Object.fromEntries(offsets))
  return { present, acknowledged, commit, committed, lines }
}

test('only positions that have changed are committed', async () => {
  const { present, commit, committed } = setUp()
  await commit()
  present.set(0, 5).set(1, 7)
  await commit()
  await commit()
  present.set(1, 8)
  await commit()
  expect(committed()).toEqual([{ 0: 5, 1: 7 }, { 1: 8 }])
})

test('a position that could not be committed is committed with the next', async () => {
  const { present, acknowledged, commit, committed, lines } = setUp()
  acknowledged.mockRejectedValueOnce(new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is away.'))
  present.set(0, 5)
  await commit()
  await commit()
  expect(committed()).toEqual([{ 0: 5 }, { 0: 5 }])
  expect(lines.map(({ message }) => message)).toEqual([
    'the acknowledged position cannot be committed: Kafka is away.',
  ])
})

test('after an hour all are committed again, so that a broker does not forget them', async () => {
  const { present, commit, committed } = setUp()
  present.set(0, 5)
  await commit()
  const now = performance.now()
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now + 3_600_000)
  onTestFinished(() => clock.mockRestore())
  await commit()
  expect(committed()).toEqual([{ 0: 5 }, { 0: 5 }])
})
