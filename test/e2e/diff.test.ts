import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { diffCommand } from '../../src/commands/diff.js'
import { readConfig } from '../../src/config/read.js'
import { DryRun } from '../../src/dry-run/dry-run.js'
import { ProcessMetrics } from '../../src/metrics/registry.js'
import { buildDelivery } from '../../src/pipeline/build-delivery.js'
import { plugins } from '../../src/plugins/index.js'
import { startKafka } from '../../src/sandbox/kafka.js'
import { DEAD_LETTER_TOPIC, TOPICS } from '../../src/sandbox/routes.js'
import { temporaryDirectory, testContext } from '../helpers/context.js'
import { dataAction, shippedFiles } from '../helpers/pipelines/shipped-config.js'
import { environment } from '../helpers/processes/deployment.js'
import { runCommand } from '../helpers/recorded-io.js'

const PIPELINE = 'cxone-data-actions'
const DEFAULT_TOPIC = 'cxone.data.actions.default'

/** Writes to Kafka what the config makes of these events. */
async function written(
  cwd: string,
  env: { [name: string]: string },
  bodies: readonly string[],
): Promise<void> {
  const options = { plugins, environment: env, exposed: false, cwd }
  const read = readConfig(join(cwd, 'plugins.config.json'), options)
  const [checked] = read.ok ? read.config.pipelines : []
  if (!read.ok || checked === undefined) throw new Error('the config is wrong')
  const aborter = new AbortController()
  const surroundings = { metrics: new ProcessMetrics(), log: () => testContext().log, signal: aborter.signal }
  const { sink, targets } = buildDelivery(read.config, checked, surroundings)
  sink.expect(targets)
  await sink.start?.()
  const dryRun = new DryRun(read.config)
  for (const body of bodies) {
    const request = { headers: { 'content-type': 'application/json' }, body: Buffer.from(body) }
    const { records } = await dryRun.run(PIPELINE, request, { skipVerification: true })
    for (const { topic, partition, key, value, headers } of records) {
      const target = partition === undefined ? { topic } : { topic, partition }
      await sink.send({ target, key: key === null ? null : Buffer.from(key), value, headers })
    }
  }
  aborter.abort()
  await sink.stop?.()
}

test('old events are read from a topic of the pipeline, and what is missing of them is said', async () => {
  const kafka = await startKafka(TOPICS)
  onTestFinished(() => kafka.stop())
  const env = environment(kafka.bootstrap, { url: 'http://127.0.0.1:1' })
  const cwd = temporaryDirectory(
    shippedFiles({
      'plugins.config.json'({ transforms }) {
        transforms[0].onError = 'dead-letter'
      },
      'new.json'({ transforms }) {
        transforms.shift()
        transforms[0].config.rules[1].when.jsonata = "payload.region = 'us'"
      },
    }),
  )
  const events = ['us', 'ap', 'us'].map((region, index) => dataAction(`da-${index}`, { region }))
  await written(cwd, env, [...events, '{"dataActionId":"bad","payload":{"region":"us"}}'])
  const diff = (fromTopic: string, options: object = {}, environment: object = env) =>
    runCommand(
      diffCommand,
      { arguments: ['new.json'], options: { fromTopic, ...options } },
      { cwd, env: { ...environment } },
    )

  const moved = await diff(DEFAULT_TOPIC, { exitCode: true })
  expect([moved.code, moved.err]).toEqual([1, ''])
  expect(moved.out).toContain('  to eu-west: cxone.data.actions.eu 1\n  da-0, da-2\n')
  expect(moved.out).toContain(`Note: 3 records of ${DEFAULT_TOPIC} hold only a part of the event.`)
  const newest = await diff(DEFAULT_TOPIC, { limit: '1' })
  expect(newest.out).toContain('1 event under')

  const letters = await diff(DEAD_LETTER_TOPIC)
  expect(letters.out).toContain(
    '1 from dead letter HG_SCHEMA_VIOLATION\n  to eu-west: cxone.data.actions.eu 1\n  bad\n',
  )
  expect(letters.out).not.toContain('Note:')

  const given = await diff(DEFAULT_TOPIC, { brokers: kafka.bootstrap }, {})
  expect([given.code, given.err]).toEqual([0, ''])

  const missing = await diff('no.such.topic')
  expect([missing.code, missing.err]).toEqual([1, expect.stringMatching(/^HG_KAFKA_\w+: .*no\.such\.topic/)])
})
