import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type CheckedConfig, readConfig } from '../../src/config/read.js'
import type { LoggedRecord, RecordHeader } from '../../src/contract/index.js'
import { compareEvent } from '../../src/dry-run/compare.js'
import { DryRun } from '../../src/dry-run/dry-run.js'
import { pastRecords } from '../../src/dry-run/past-records.js'
import { digestOf } from '../../src/ledger/identity.js'
import { plugins } from '../../src/plugins/index.js'
import { rebuilder } from '../../src/plugins/sink/kafka/record.js'
import { temporaryDirectory } from '../helpers/context.js'
import { dataAction, shippedFiles } from '../helpers/pipelines/shipped-config.js'

const PIPELINE = 'cxone-data-actions'
const rebuild = rebuilder({
  key: '/dataActionId',
  value: '/payload',
  headers: { 'event-type': '/eventType', 'event-timestamp': '/timestamp' },
})

// biome-ignore lint/suspicious/noExplicitAny: a config as people write it
function shipped(change: (pipeline: any) => void = () => {}): CheckedConfig {
  const cwd = temporaryDirectory(shippedFiles({ 'plugins.config.json': change }))
  const options = { plugins, environment: {}, exposed: false, cwd, unresolved: 'placeholder' } as const
  const read = readConfig(join(cwd, 'plugins.config.json'), options)
  if (!read.ok) throw new Error('the config is wrong')
  return read.config
}

const logged = (key: string | null, value: Buffer, headers: readonly RecordHeader[]): LoggedRecord => ({
  topic: 'cxone.data.actions.eu',
  partition: 1,
  offset: 0,
  timestamp: 0,
  key: key === null ? null : Buffer.from(key),
  value,
  header: (name) => headers.find((header) => header.name === name)?.value,
  headers: () => headers,
})

/** The record that a config makes of an event. */
async function recordOf(config: CheckedConfig, body: string): Promise<LoggedRecord> {
  const request = { headers: { 'content-type': 'application/json' }, body: Buffer.from(body) }
  const { records } = await new DryRun(config).run(PIPELINE, request, { skipVerification: true })
  const [record] = records
  if (record === undefined) throw new Error('no record was made')
  return logged(record.key, record.value, record.headers)
}

const past = (config: CheckedConfig, records: readonly LoggedRecord[]) =>
  pastRecords(records, PIPELINE, rebuild, new DryRun(config), config.revision)

const EVENT = dataAction('da-1', { region: 'eu-west', n: 1 })

test('a record that has only a part of its event is rebuilt where that makes the same record again', async () => {
  const config = shipped()
  const { events, rebuilt, unusable, foreign } = await past(config, [await recordOf(config, EVENT)])
  expect([rebuilt, unusable, foreign]).toEqual([1, 0, 0])
  expect(events).toEqual([
    expect.objectContaining({ id: 'da-1', pipeline: PIPELINE, body: expect.any(Buffer) }),
  ])
  expect(JSON.parse(String(events[0]?.body))).toEqual(JSON.parse(EVENT))
})

test('a record that has all of its event, as its digest tells, is that event', async () => {
  const config = shipped(({ sink }) => {
    sink.config.value = ''
  })
  const { events, rebuilt } = await past(config, [await recordOf(config, EVENT)])
  expect([events[0]?.body.toString(), rebuilt]).toEqual([EVENT, 0])
})

test('where what is missing decided, the record is left out', async () => {
  const config = shipped(({ transforms }) => {
    transforms.shift()
    transforms[0].config.rules[1].when.jsonata = 'tenant = 7'
  })
  const record = await recordOf(config, JSON.stringify({ ...JSON.parse(EVENT), tenant: 7 }))
  expect(record.header('headgate-route')).toBe('eu-west')
  expect(await past(config, [record])).toEqual({ events: [], rebuilt: 0, unusable: 1, foreign: 0 })
})

test('under another revision than the one that wrote the record, another rule may decide', async () => {
  const record = await recordOf(shipped(), EVENT)
  const other = shipped(({ transforms }) => {
    transforms[1].config.rules[1].when.jsonata = 'false'
  })
  expect(await past(other, [record])).toMatchObject({ rebuilt: 1, unusable: 0 })
})

test('what others wrote is left out', async () => {
  const headers = [
    { name: 'headgate-event-id', value: 'x' },
    { name: 'headgate-digest', value: digestOf(Buffer.from('{}')) },
    { name: 'headgate-pipeline', value: 'another' },
  ]
  const records = [logged(null, Buffer.from('{}'), headers), logged('k', Buffer.from('text'), [])]
  expect(await past(shipped(), records)).toEqual({ events: [], rebuilt: 0, unusable: 0, foreign: 2 })
})

test('a record has the parts of the request that decided', async () => {
  const config = shipped(({ sink, transforms }) => {
    sink.config.value = ''
    transforms[1].config.rules[1].when = { at: 'header:X-Kind', regex: '^push$' }
  })
  const headers = { 'content-type': 'application/json', 'X-Kind': 'push', 'x-other': 'x' }
  const dryRun = new DryRun(config)
  const { records } = await dryRun.run(
    PIPELINE,
    { headers, body: Buffer.from(EVENT) },
    { skipVerification: true },
  )
  const [record] = records
  if (record === undefined) throw new Error('no record was made')
  const { events } = await past(config, [logged(record.key, record.value, record.headers)])
  expect(events).toMatchObject([{ request: { headers: { 'x-kind': 'push' } } }])
  const again = await dryRun.run(
    PIPELINE,
    { headers: {}, ...events[0]?.request, body: record.value },
    { id: 'da-1' },
  )
  expect(again.route).toBe('eu-west')
})

test('a record with a form becomes an event again, and makes the same record', async () => {
  const config = shipped((pipeline) => {
    pipeline.source.config = {
      path: '/in',
      eventId: '/dataActionId',
      verify: { scheme: 'bearer', tokens: ['t'] },
      body: { formats: ['form'], jsonField: 'payload' },
    }
    pipeline.sink.config.value = ''
  })
  const form = `payload=${encodeURIComponent(EVENT)}`
  const dryRun = new DryRun(config)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const first = await dryRun.run(PIPELINE, { headers, body: Buffer.from(form) }, { skipVerification: true })
  expect(first.records).toMatchObject([{ value: Buffer.from(form), deadLetter: false }])
  const [written] = first.records
  const { events } = await past(config, [logged('da-1', Buffer.from(form), written?.headers ?? [])])
  expect(events).toMatchObject([{ id: 'da-1' }])
  const compared = await compareEvent(events[0] as (typeof events)[0], dryRun, dryRun)
  expect(compared).toMatchObject({ name: 'da-1', changed: [], after: { refused: false } })
})
