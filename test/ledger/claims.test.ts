import { expect, test, vi } from 'vitest'
import type { Event, Outcome, SinkRecord } from '../../src/contract/index.js'
import { digestOf } from '../../src/ledger/identity.js'
import { recordMac } from '../../src/pipeline/record-mac.js'
import { MAC, type MemoryLog, memoryLog } from '../helpers/kafka/memory-log.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { openLedger, type TestLedger } from './setup.js'

const digest = (event: Event): string => digestOf(event.body.bytes)
const FORGED = { 'headgate-mac': 'AAAAAAAAAAAAAAAAAAAAAA' }

function due(opened: TestLedger): (string | undefined)[] {
  const ids = []
  for (let pending = opened.due(); pending !== undefined; pending = opened.due())
    ids.push(pending.committed.id)
  return ids
}

/** Takes an event like the pipeline, which asks the ledger before it writes a record with this value. */
function take({ ledger }: TestLedger, kafka: MemoryLog, event: Event, value: Buffer): Promise<Outcome> {
  return ledger.once(event, async (digest) => {
    const headers = [
      { name: 'headgate-event-id', value: event.id },
      { name: 'headgate-digest', value: digest },
    ]
    const record: SinkRecord = { target: { topic: 'events', partition: 0 }, key: null, value, headers }
    const receipt = await ledger.findWritten(record)
    if (receipt !== undefined) return { kind: 'delivered', id: event.id, receipt }
    return kafka.append(event.id, digest, 'orders', {}, value)
  })
}

test('a record that another program wrote with the digest of a future event does not replace it, and gets no acknowledgement', async () => {
  for (const mac of [FORGED, { 'headgate-mac': undefined as unknown as string }]) {
    const kafka = memoryLog()
    const event = eventOf('a')
    kafka.append('a', digest(event), 'orders', mac, Buffer.from('something else'))
    const opened = await openLedger({ kafka })
    expect(due(opened)).toEqual([])
    expect(await take(opened, kafka, event, event.body.bytes)).toMatchObject({
      kind: 'delivered',
      receipt: { offset: 1 },
    })
    expect(due(opened)).toEqual(['a'])
    expect(opened.ledger.backlog().unprovenRecords).toBe(1)
  }
})

test('a record that is proven for another topic, id or digest is not proven', async () => {
  const kafka = memoryLog()
  const event = eventOf('a')
  for (const of of [
    MAC.of('other', 'a', digest(event)),
    MAC.of('events', 'b', digest(event)),
    MAC.of('events', 'a', digest(eventOf('b'))),
  ])
    kafka.append('a', digest(event), 'orders', { 'headgate-mac': of })
  const opened = await openLedger({ kafka })
  expect(due(opened)).toEqual([])
  expect(opened.ledger.backlog().unprovenRecords).toBe(3)
})

test('thousands of records of another program get no acknowledgement, and one log line', async () => {
  const kafka = memoryLog()
  const stranger = digest(eventOf('never'))
  for (let n = 0; n < 2000; n++) kafka.append(`never-${n}`, stranger, 'orders', FORGED)
  kafka.append('a', digest(eventOf('a')))
  const opened = await openLedger({ kafka, entries: 5000 })
  expect(due(opened)).toEqual(['a'])
  expect(opened.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
})

test('with a lost state directory and another key, redeliveries that would become the same record are detected', async () => {
  const kafka = memoryLog()
  const before = await openLedger({ kafka })
  const event = eventOf('a')
  const first = await take(before, kafka, event, event.body.bytes)
  await before.stop()
  const opened = await openLedger({ kafka, mac: recordMac('another') })
  expect(due(opened)).toEqual([])
  expect(await take(opened, kafka, event, event.body.bytes)).toEqual({ ...first, kind: 'duplicate' })
  expect(due(opened)).toEqual(['a'])
  expect(await take(opened, kafka, event, event.body.bytes)).toEqual({ ...first, kind: 'duplicate' })
  expect(kafka.records).toHaveLength(1)
  await opened.stop()
  const after = await openLedger({ ...opened, mac: recordMac('another') })
  expect(await take(after, kafka, event, event.body.bytes)).toMatchObject({ kind: 'duplicate' })
})

test('records written under a former key are proven as long as the state directory exists', async () => {
  const before = await openLedger()
  await before.take(eventOf('a'))
  await before.ledger.refill()
  await new Promise((resolve) => setTimeout(resolve, 600))
  const directory = await before.crash()
  before.kafka.append('b', digest(eventOf('b')))
  const opened = await openLedger({ directory, kafka: before.kafka, mac: recordMac('another') })
  expect(due(opened).sort()).toEqual(['a', 'b'])
  expect(opened.ledger.backlog().unprovenRecords).toBe(0)
})

test('ids and trace context of records are checked like those of requests', async () => {
  const kafka = memoryLog()
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  for (const id of ['', 'line\nend', '\u0000', 'x'.repeat(257), '\ud800'])
    kafka.append(id, digest(eventOf('a')), 'orders', {
      'headgate-mac': MAC.of('events', id, digest(eventOf('a'))),
    })
  kafka.append('a', digest(eventOf('a')), 'orders', { traceparent: `${trace}\r\nx: y` })
  kafka.append('b', digest(eventOf('b')), 'orders', { traceparent: trace, tracestate: 'k=v\r\nx: y' })
  kafka.append('c', 'no digest')
  const opened = await openLedger({ kafka })
  const a = opened.due()
  const b = opened.due()
  expect(opened.due()).toBeUndefined()
  expect(a?.committed).toEqual({ id: 'a', receipt: expect.anything() })
  expect(b?.committed).toEqual({ id: 'b', receipt: expect.anything(), traceparent: trace })
})

test('without unproven records, no record is inspected before it is written', async () => {
  const opened = await openLedger()
  const record = vi.fn()
  expect(opened.ledger.findWritten(new Proxy({} as SinkRecord, { get: record }))).toBeUndefined()
  expect(record).not.toHaveBeenCalled()
})
