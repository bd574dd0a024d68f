import { onTestFinished } from 'vitest'
import type { Position, Receipt, RecordLog, Sink, Target } from '../../../src/contract/index.js'
import { kafkaSink } from '../../../src/plugins/sink/kafka/index.js'
import { fillDefaults, type TestContext, testContext } from '../context.js'

const ID = 'headgate-event-id'

/** A started kafka sink, for tests on a real cluster. Stopped when the test has finished. */
export interface TestSink {
  readonly sink: Sink
  readonly log: RecordLog
  readonly context: TestContext
  /** Sends a record with this id as a header. */
  send(target: Target, id: string, value?: Buffer): Promise<Receipt>
  /** The ids of the records that are read back, from these positions or from the start of the log. */
  read(from?: readonly Position[]): Promise<string[]>
}

export async function startSink(
  brokers: string,
  targets: readonly Target[],
  settings: { readonly pipeline?: string; readonly properties?: object } = {},
): Promise<TestSink> {
  const { pipeline = 'test', properties = {} } = settings
  const context = testContext({ pipeline })
  const sink = kafkaSink.create(fillDefaults(kafkaSink, { brokers, properties }), context)
  sink.expect(targets.map((target) => ({ target, location: 'plugins.config.json:14:60' })))
  onTestFinished(async () => {
    context.abort()
    await sink.stop?.()
  })
  await sink.start?.()
  const { log } = sink
  if (log === undefined) throw new Error('The sink has no log.')
  return {
    sink,
    log,
    context,
    send: (target, id, value = Buffer.from('{}')) =>
      sink.send({ target, key: null, value, headers: [{ name: ID, value: id }] }),
    async read(from) {
      const ids: string[] = []
      const all = from ?? (await log.partitions()).map(({ start, ...place }) => ({ ...place, offset: start }))
      await log.read(all, (record) => ids.push(record.header(ID) ?? ''))
      return ids
    },
  }
}
