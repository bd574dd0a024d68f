import { expect, test, vi } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import type { Correlation, Event, LoggedRecord } from '../../src/contract/index.js'
import { fail } from '../../src/contract/index.js'
import { deadLetterOf } from '../../src/dead-letters/letter.js'
import { digestOf } from '../../src/ledger/identity.js'
import { temporaryDirectory } from '../helpers/context.js'
import { deferred } from '../helpers/deferred.js'
import { memoryLog } from '../helpers/kafka/memory-log.js'
import { runningPipeline } from '../helpers/pipelines/inline-pipeline.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { openLedger } from '../ledger/setup.js'

const trace = {
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: 'vendor=1,other=2',
}
const traced = (id: string): Event => ({ ...eventOf(id), ...trace })
const request: Correlation = { requestId: 'r-1', remoteAddress: '203.0.113.9', ...trace }

test('the trace context of an event is in the headers of its record and in its acknowledgement', async () => {
  const { inline } = await runningPipeline()
  await inline.intake(() => traced('a'))
  expect(inline.written[0]?.headers.slice(-2)).toEqual([
    { name: 'traceparent', value: trace.traceparent },
    { name: 'tracestate', value: trace.tracestate },
  ])
  await vi.waitFor(() => expect(inline.acknowledged).toMatchObject([{ id: 'a', ...trace }]))
})

test('a dead letter keeps the trace context for the day when it is replayed', async () => {
  const { inline } = await runningPipeline({
    deadLetter: { topic: 'dead' },
    transforms: [{ plugin: 'everything', onError: 'dead-letter' }],
  })
  inline.apply = () => fail(new HeadgateError('HG_SCHEMA_VIOLATION', 'One violation.'))
  expect(await inline.intake(() => traced('a'))).toMatchObject({ kind: 'dead-lettered' })
  const { headers = [] } = inline.written[0] ?? {}
  const header = (name: string) => headers.find((one) => one.name === name)?.value
  expect(deadLetterOf({ topic: 'dead', partition: 0, offset: 0, header } as LoggedRecord)).toMatchObject(
    trace,
  )
})

test('an acknowledgement that waited over a restart has the trace context too', async () => {
  const directory = temporaryDirectory()
  const retry = { initial: '1ms', max: '1ms', deadline: '1h' }
  const settings = { postCommit: [{ plugin: 'tell', retry }] }
  const first = await runningPipeline(settings, directory)
  first.inline.acknowledge = async () => ({
    kind: 'retry',
    error: new HeadgateError('HG_ACK_RETRY', 'Not now.'),
  })
  await first.inline.intake(() => traced('a'))
  await first.inline.intake(() => eventOf('b'))
  await first.stop()

  const { inline } = await runningPipeline(settings, directory)
  await vi.waitFor(() => expect(inline.acknowledged).toHaveLength(2))
  const receipt = { topic: 'events', partition: 0 }
  expect(inline.acknowledged.toSorted((a, b) => a.id.localeCompare(b.id))).toEqual([
    { id: 'a', receipt: { ...receipt, offset: 0 }, ...trace },
    { id: 'b', receipt: { ...receipt, offset: 1 } },
  ])
})

test('with a lost state directory, it comes back from the headers of the record', async () => {
  const kafka = memoryLog()
  kafka.append('a', digestOf(Buffer.from('a')), 'orders', trace)
  kafka.append('b', digestOf(Buffer.from('b')), 'orders', { tracestate: 'alone=1' })
  const { due } = await openLedger({ kafka })
  expect(due()?.committed).toMatchObject({ id: 'a', ...trace })
  const alone = due()?.committed
  expect(alone).toMatchObject({ id: 'b' })
  expect(alone).not.toHaveProperty('tracestate')
})

test('the line of every failure has the request id, the address of the sender and the trace id, whether or not there was an event', async () => {
  const { inline, lines } = await runningPipeline()
  const failures = () => lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields)
  const ids = {
    request_id: 'r-1',
    remote_address: '203.0.113.9',
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  }

  await inline.intake(() => {
    throw new HeadgateError('HG_INTAKE_NOT_JSON', 'The body is not JSON.')
  }, request)
  expect(failures()).toEqual([{ id: undefined, ...ids, code: 'HG_INTAKE_NOT_JSON' }])

  inline.apply = () => fail(new HeadgateError('HG_SCHEMA_VIOLATION', 'One violation.'))
  await inline.intake(() => traced('a'), request)
  expect(failures()[1]).toEqual({ id: 'a', ...ids, code: 'HG_SCHEMA_VIOLATION' })
})

test('an event that the ledger does not take has a line, and so has a copy that shares the failure of the first', async () => {
  const { inline, lines } = await runningPipeline({ maxPending: 1 })
  const codes = () => lines.filter(({ level }) => level === 'warn').map(({ fields }) => ({ ...fields }))
  const { promise, resolve } = deferred()
  inline.send = () => promise
  const waiting = inline.intake(() => eventOf('a'))
  await inline.intake(() => eventOf('b'), { ...request, requestId: 'r-2' })
  expect(codes()).toMatchObject([{ id: 'b', request_id: 'r-2', code: 'HG_LEDGER_FULL' }])
  resolve()
  await waiting

  inline.send = () => Promise.reject(new HeadgateError('HG_RECORD_TOO_LARGE', 'Too large.'))
  await vi.waitFor(() => expect(inline.acknowledged).toHaveLength(1))
  const twins = ['r-3', 'r-4'].map((requestId) =>
    inline.intake(() => eventOf('c'), { ...request, requestId }),
  )
  await Promise.all(twins)
  expect(codes().slice(1)).toMatchObject([
    { id: 'c', request_id: 'r-3', code: 'HG_RECORD_TOO_LARGE' },
    { id: 'c', request_id: 'r-4', code: 'HG_RECORD_TOO_LARGE' },
  ])
})
