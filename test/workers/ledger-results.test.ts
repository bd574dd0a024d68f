import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { PendingAges } from '../../src/ledger/report.js'
import type { AcknowledgerState } from '../../src/pipeline/acknowledge.js'
import { MergedLedger } from '../../src/workers/ledger-results.js'
import type { LedgerResults, NotReady } from '../../src/workers/messages.js'

type FakeWorker = {
  readonly [Question in keyof LedgerResults]?: () => Promise<LedgerResults[Question] | undefined>
}

/** `asked`: the questions, each with the number of the worker. */
function mergedLedger(workers: readonly FakeWorker[], reasons: readonly NotReady[] = []) {
  const asked: string[] = []
  const ledger = new MergedLedger('orders', {
    ask: (_pipeline, question) =>
      workers.map((worker, number) => async () => {
        asked.push(`${question} ${number}`)
        return worker[question]?.()
      }),
    pids: () => [1, 2],
    notReady: () => reasons,
  })
  return { ledger, asked }
}

function reportOf(pending: number, partitions: readonly number[], remembersSince: number) {
  const ages = new PendingAges(0)
  ages.count(0, pending)
  return async () => ({
    pending: ages.all(),
    failed: { count: 0, first: [] },
    partitions: partitions.map((partition) => ({ topic: 'inbox', partition, known: 7, acknowledged: 5 })),
    remembersSince,
  })
}

const failing = async (): Promise<never> => {
  throw new HeadgateError('HG_LEDGER_NOT_READY', 'It has not joined.')
}

test('a report has the sums of all workers, and the failed acknowledgements that one of them has read', async () => {
  const failed = async () => ({ count: 2, first: [] })
  const { ledger, asked } = mergedLedger([
    { report: reportOf(3, [2, 0], 1000), failed },
    { report: reportOf(4, [1], 2000), failed },
    // Without a partition, it has nothing in which it could detect a redelivery.
    { report: reportOf(0, [], 9000), failed },
  ])
  const report = await ledger.report()
  expect(report.pending[0]).toEqual({ age: 'under 1 minute', count: 7 })
  expect(report.failed.count).toBe(2)
  expect(report.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2])
  expect(report.remembersSince).toBe(2000)
  expect(asked.filter((question) => question.startsWith('failed'))).toEqual(['failed 0'])
})

test('a worker that ends or fails meanwhile is left out of a report, and another is asked for what any of them knows', async () => {
  const instances = { kind: 'shared', own: ['host/2'], partitions: [] } as const
  const { ledger } = mergedLedger([
    { report: async () => undefined, instances: failing, retryFailed: async () => undefined },
    { report: reportOf(4, [1], 2000), instances: async () => instances, retryFailed: async () => 3 },
  ])
  expect((await ledger.report()).pending[0]?.count).toBe(4)
  expect(await ledger.instances()).toEqual({ ...instances, own: ['host/1', 'host/2'] })
  expect(await ledger.retryFailed()).toBe(3)
})

test('failed acknowledgements are retried by one worker only', async () => {
  const { ledger, asked } = mergedLedger([{ retryFailed: async () => 0 }, { retryFailed: async () => 2 }])
  expect(await ledger.retryFailed()).toBe(0)
  expect(asked).toEqual(['retryFailed 0'])
})

test('without a worker a report says so, and what only a worker knows is an error', async () => {
  const { ledger } = mergedLedger([])
  expect(await ledger.report()).toMatchObject({
    partitions: [],
    failed: { count: 0, problem: expect.any(String) },
  })
  await expect(ledger.instances()).rejects.toMatchObject({ code: 'HG_WORKER_FAILED' })
})

test('acknowledgers are shown together: their attempts and limits as sums, and what holds for one', async () => {
  const state = { active: 1, isHeld: false, isDown: false, limit: 10, pausedFor: 0 }
  const states = (one: Partial<AcknowledgerState>) => ({ acknowledgers: async () => [{ ...state, ...one }] })
  const limited = mergedLedger([states({ active: 4 }), states({ isDown: true, pausedFor: 500 })]).ledger
  expect(await limited.acknowledgers()).toEqual([
    { active: 5, isHeld: false, isDown: true, limit: 20, pausedFor: 500 },
  ])
  const unlimited = mergedLedger([states({}), states({ limit: undefined })]).ledger
  expect(await unlimited.acknowledgers()).toMatchObject([{ limit: undefined }])
})

test('a part is not ready for the reasons of any worker, each once', () => {
  const down = { pipeline: 'orders', part: 'sink.kafka', reason: 'Kafka is down.' }
  const { ledger } = mergedLedger(
    [],
    [
      down,
      down,
      { pipeline: 'others', part: 'sink.kafka', reason: 'Another.' },
      { pipeline: 'orders', reason: 'It reads.' },
    ],
  )
  expect(ledger.notReady('sink.kafka')).toEqual(['Kafka is down.'])
  expect(ledger.notReady()).toEqual(['It reads.'])
})
