import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { expect, onTestFinished, test } from 'vitest'
import { startHeadgate } from '../../src/sandbox/headgate-process.js'
import { startKafka } from '../../src/sandbox/kafka.js'
import { readTopics } from '../../src/sandbox/reader.js'
import { scrape } from '../../src/sandbox/reconcile.js'
import type { TapLine } from '../../src/tap/line.js'
import { temporaryDirectory } from '../helpers/context.js'
import { startSink } from '../helpers/kafka/sink.js'
import { topicsPipeline } from '../helpers/pipelines/topics-pipeline.js'

/** The lines of a tap, as they come. */
async function* tapLines(admin: string, query: string): AsyncGenerator<TapLine> {
  const { body } = await fetch(new URL(`/tap?${query}`, admin))
  const lines = createInterface({ input: Readable.fromWeb(body as ReadableStream) })
  for await (const line of lines) yield JSON.parse(line)
}

test('records become events that are written once, counted by their outcome, and shown by a tap', async () => {
  const kafka = await startKafka(['orders', 'by-region', 'dead'])
  onTestFinished(() => kafka.stop())
  const text = topicsPipeline({ id: '/id' }).replace('127.0.0.1:1', kafka.bootstrap)
  const config = join(temporaryDirectory({ 'plugins.config.json': text }), 'plugins.config.json')
  const headgate = await startHeadgate({ config, env: { HEADGATE_STATE_DIR: temporaryDirectory() } })
  onTestFinished(() => headgate.kill('SIGKILL'))
  const { sink } = await startSink(kafka.bootstrap, [{ topic: 'orders' }])
  const produce = (value: string) =>
    sink.send({
      ...{ target: { topic: 'orders', partition: 0 }, key: null, headers: [] },
      value: Buffer.from(value),
    })

  const lines = tapLines(headgate.admin, 'limit=4&payload=1KiB')
  expect((await lines.next()).value).toMatchObject({ kind: 'tapping', pipelines: ['orders'] })
  for (const value of [
    '{"id":"a","region":"us"}',
    '{"id":"b","region":"eu"}',
    '{"id":"a","region":"us"}',
    'no JSON',
  ])
    await produce(value)
  const shown = []
  for await (const line of lines) if (line.kind === 'event') shown.push(line)
  const at = (offset: number) => ({ topic: 'orders', partition: 0, offset })
  expect(shown).toMatchObject([
    { id: 'a', outcome: 'delivered', route: 'otherwise', ...at(0), payload: '{"id":"a","region":"us"}' },
    { id: 'b', outcome: 'delivered', route: 'eu', ...at(1) },
    { id: 'a', outcome: 'duplicate', ...at(2) },
    { id: 'orders-0@3', outcome: 'dead-lettered', code: 'HG_INTAKE_NOT_JSON', ...at(3) },
  ])
  const figures = await scrape(headgate.admin)
  const counted = ['delivered', 'duplicate', 'dead-lettered', 'rejected', 'accepted'].map((outcome) =>
    figures.sum('headgate_events_total', { pipeline: 'orders', outcome }),
  )
  expect(counted).toEqual([2, 1, 1, 0, 0])
  expect(figures.sum('headgate_inflight_events', { pipeline: 'orders' })).toBe(0)
  expect(figures.sum('headgate_commit_duration_seconds_count', { pipeline: 'orders' })).toBe(3)

  const written = await readTopics(kafka.bootstrap, ['by-region'])
  expect(written.map(({ partition, value }) => [partition, value.toString()]).toSorted()).toEqual([
    [0, '{"id":"a","region":"us"}'],
    [1, '{"id":"b","region":"eu"}'],
  ])
  const dead = await readTopics(kafka.bootstrap, ['dead'])
  expect(dead.map(({ value }) => value.toString())).toEqual(['no JSON'])
  expect((await headgate.stop()).code).toBe(0)
})
