import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startHeadgate } from '../../src/sandbox/headgate-process.js'
import { startKafka } from '../../src/sandbox/kafka.js'
import { temporaryDirectory } from '../helpers/context.js'
import { webhookPipeline } from '../helpers/pipelines/webhook-pipeline.js'
import { type Usage, usageOf } from '../helpers/processes/usage.js'

const PIPELINES = 60
const SCRAPES = 30
const names = Array.from({ length: PIPELINES }, (_, index) => `orders-${index}`)

const pipeline = (name: string, brokers: string) =>
  webhookPipeline({
    source: { path: `/${name}`, verify: { scheme: 'none' } },
    rules: [{ name: 'urgent', when: { regex: '"urgent":true' }, to: { topic: name, partition: 0 } }],
    otherwise: { topic: name },
    sink: { brokers, key: '/id' },
    deadLetter: { topic: `${name}.dlq` },
  })

const greatest = (one: Usage, other: Usage): Usage => ({
  threads: Math.max(one.threads, other.threads),
  descriptors: Math.max(one.descriptors, other.descriptors),
  connections: Math.max(one.connections, other.connections),
})

test('60 pipelines on one cluster share its client, idle and under load, and are scraped in 400 KB', async () => {
  const kafka = await startKafka(names.flatMap((name) => [name, `${name}.dlq`]))
  onTestFinished(() => kafka.stop())
  const port = Number(kafka.bootstrap.split(':').at(-1))
  const config = JSON.stringify({
    pipelines: Object.fromEntries(names.map((name) => [name, pipeline(name, kafka.bootstrap)])),
  })
  const headgate = await startHeadgate({
    config: join(temporaryDirectory({ 'plugins.config.json': config }), 'plugins.config.json'),
    env: {},
    within: 100_000,
  })
  onTestFinished(async () => void (await headgate.stop()))

  const scrape = async () => (await fetch(new URL('/metrics', headgate.admin))).text()
  const measure = () => usageOf(headgate.pid, port)
  let most = measure()
  for (let round = 0; round < 3; round++) {
    const responses = await Promise.all(
      names.map((name) =>
        fetch(new URL(`/${name}`, headgate.intake), {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ id: `${name}.${round}`, urgent: round === 1 }),
        }).then((response) => response.status),
      ),
    )
    expect(new Set(responses)).toEqual(new Set([200]))
    most = greatest(most, measure())
  }
  // Each pipeline commits for a group of its own.
  await expect.poll(measure, { timeout: 5000, interval: 1000 }).toBeDefined()
  most = greatest(most, measure())

  const times: number[] = []
  let text = ''
  while (times.length < SCRAPES) {
    const startedAt = performance.now()
    text = await scrape()
    times.push(Math.round(performance.now() - startedAt))
  }
  const [first] = times
  const median = times.sort((a, b) => a - b)[SCRAPES / 2]
  console.log(
    `60 pipelines: ${JSON.stringify(most)}, scrapes of ${text.length} bytes: the first in ${first} ms, the median of ${SCRAPES} in ${median} ms`,
  )
  // The connections of these senders are descriptors too.
  expect(most.threads).toBeLessThan(60)
  expect(most.descriptors - PIPELINES).toBeLessThan(150)
  expect(most.connections).toBeLessThanOrEqual(12)
  expect(text.length).toBeLessThan(400_000)
  expect(text.match(/^headgate_kafka_records_outstanding\{/gm)).toHaveLength(1)
  expect(headgate.lines.join('\n')).not.toMatch(/MaxListeners|"level":"(?:warn|error)"/)
}, 180_000)
