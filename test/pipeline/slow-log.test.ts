import { expect, onTestFinished, test, vi } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import type { Correlation, Outcome } from '../../src/contract/index.js'
import { EventContext, SlowLog } from '../../src/pipeline/event-log.js'
import { testContext } from '../helpers/context.js'
import { runningPipeline } from '../helpers/pipelines/inline-pipeline.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const request: Correlation = { requestId: 'r-1', traceparent, tracestate: undefined }
const slow = 'a slow event'

test('an event that took as long as the config says is logged with its ids, its rule and its stages', async () => {
  const { inline, lines } = await runningPipeline({ slowAfter: '0ms' })
  await inline.intake(() => ({ ...eventOf('a'), traceparent }), request)
  expect(lines.filter(({ message }) => message === slow)).toEqual([
    {
      level: 'warn',
      message: slow,
      fields: {
        id: 'a',
        request_id: 'r-1',
        trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
        route: 'all',
        outcome: 'delivered',
        ms: expect.any(Number),
        stages: {
          'source.inline': expect.any(Number),
          'transform.0.everything': expect.any(Number),
          'sink.memory': expect.any(Number),
        },
      },
    },
  ])
})

test('an event that was fast is not logged, and nobody asks for an id of its request', async () => {
  const { inline, lines } = await runningPipeline({ slowAfter: '1h' })
  const requestId = vi.fn(() => 'r-1')
  await inline.intake(() => eventOf('a'), {
    get requestId() {
      return requestId()
    },
    traceparent: undefined,
    tracestate: undefined,
  })
  expect(lines.filter(({ message }) => message === slow)).toEqual([])
  expect(requestId).not.toHaveBeenCalled()
})

test('only stages that took a notable part of the time are named', () => {
  const { log, lines } = testContext()
  const slowLog = new SlowLog(log, 1000)
  const context = new EventContext(undefined, 0, slowLog.notable)
  context.took('source.inline', 1)
  context.took('transform.0.route', 120.04)
  context.took('sink.kafka', 1080.26)
  slowLog.ended(context, { kind: 'dropped', id: 'a' }, 1201.31)
  slowLog.flush()
  expect(lines).toMatchObject([
    {
      fields: { outcome: 'dropped', ms: 1201.3, stages: { 'transform.0.route': 120, 'sink.kafka': 1080.3 } },
    },
  ])
})

test('ten of a window have a line, and the rest is counted', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const { log, lines } = testContext()
  const slowLog = new SlowLog(log, 1000)
  const outcome: Outcome = { kind: 'dropped', id: 'a' }
  for (let count = 0; count < 25; count++) slowLog.ended(new EventContext(request, 0, 50), outcome, 1500)
  expect(lines).toHaveLength(10)
  vi.advanceTimersByTime(10_000)
  expect(lines.slice(10)).toEqual([
    { level: 'warn', message: 'slow events: 15 more in the last 10 s', fields: { count: 15 } },
  ])
})

test('a slow event that failed has a line besides that of the failure, with the same request id', async () => {
  const { inline, lines } = await runningPipeline({ slowAfter: '0ms' })
  inline.send = () => Promise.reject(new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is away.'))
  await inline.intake(() => eventOf('a'), request)
  expect(lines.filter(({ level }) => level === 'warn')).toMatchObject([
    { message: 'Kafka is away.', fields: { id: 'a', request_id: 'r-1' } },
    { message: slow, fields: { id: 'a', request_id: 'r-1', outcome: 'unavailable' } },
  ])
})
