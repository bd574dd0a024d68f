import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { FailureLog } from '../../src/pipeline/event-log.js'
import { stopPipeline } from '../../src/pipeline/lifecycle.js'
import { testContext } from '../helpers/context.js'
import { runningPipeline } from '../helpers/pipelines/inline-pipeline.js'

const violation = new HeadgateError('HG_SCHEMA_VIOLATION', 'One violation.', {
  violations: [{ pointer: '/x', message: 'is required' }],
})
const down = new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is down.')

function failureLog() {
  const { log, lines } = testContext()
  const failures = new FailureLog(log)
  const fail = (count: number, error: HeadgateError) => {
    for (let index = 0; index < count; index++) failures.failed({ id: `e${index}` }, error)
  }
  return { failures, fail, lines, last: () => lines.at(-1) }
}

describe('failure log', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
  })

  it('has a line for an event that failed, with id, code and place', () => {
    const { fail, lines } = failureLog()
    fail(1, violation)
    expect(lines).toEqual([
      {
        level: 'warn',
        message: 'One violation.',
        fields: { id: 'e0', code: 'HG_SCHEMA_VIOLATION', violations: violation.violations },
      },
    ])
  })

  it('has the trace id of an event that came with a trace context', () => {
    const { failures, lines } = failureLog()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    failures.failed({ id: 'e0', traceparent }, violation)
    expect(lines).toMatchObject([{ fields: { id: 'e0', trace_id: '4bf92f3577b34da6a3ce929d0e0e4736' } }])
  })

  it('has the request id and the trace id of a request that did not become an event', () => {
    const { failures, lines } = failureLog()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    failures.failed(undefined, violation, { requestId: 'r-1', traceparent, tracestate: undefined })
    expect(lines).toMatchObject([
      { fields: { id: undefined, request_id: 'r-1', trace_id: '4bf92f3577b34da6a3ce929d0e0e4736' } },
    ])
  })

  it('asks for no request id where there is no line', () => {
    const { failures, fail } = failureLog()
    fail(10, violation)
    const request = {
      get requestId(): string {
        throw new Error('it was asked for')
      },
      traceparent: undefined,
      tracestate: undefined,
    }
    expect(() => failures.failed({ id: 'e' }, violation, request)).not.toThrow()
    expect(() => failures.failed({ id: 'e' }, down, request)).toThrow('it was asked for')
  })

  it.each([violation, down])(
    'logs the first ten of one code, and counts the rest of the window: $code',
    (error) => {
      const { fail, lines, last } = failureLog()
      fail(4222, error)
      expect(lines).toHaveLength(10)
      vi.advanceTimersByTime(10_000)
      expect(lines).toHaveLength(11)
      expect(last()).toEqual({
        level: 'warn',
        message: 'and 4,212 more in the last 10 s',
        fields: { code: error.code, count: 4212 },
      })
      fail(1, error)
      expect(last()).toMatchObject({ message: error.message })
      expect(lines).toHaveLength(12)
    },
  )

  it('counts each code on its own', () => {
    const { fail, lines } = failureLog()
    fail(20, violation)
    fail(3, down)
    expect(lines).toHaveLength(13)
  })

  it('says nothing more of failures that all had their line, and keeps nothing of them', () => {
    const { fail, lines } = failureLog()
    fail(10, violation)
    vi.advanceTimersByTime(60_000)
    expect(lines).toHaveLength(10)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('says the last count when it is flushed, once, and leaves no timer', () => {
    const { failures, fail, lines, last } = failureLog()
    fail(12, violation)
    fail(1, down)
    vi.advanceTimersByTime(2500)
    failures.flush()
    expect(last()).toMatchObject({
      message: 'and 2 more in the last 3 s',
      fields: { code: 'HG_SCHEMA_VIOLATION' },
    })
    expect(lines).toHaveLength(12)
    expect(vi.getTimerCount()).toBe(0)
    failures.flush()
    expect(lines).toHaveLength(12)
  })
})

it('a pipeline that stops says how many failed events had no line', async () => {
  const { inline, lines, pipeline, deadline } = await runningPipeline()
  for (let count = 0; count < 13; count++) {
    await inline.intake(() => {
      throw new HeadgateError('HG_INTAKE_NOT_JSON', 'The body is not JSON.')
    })
  }
  expect(lines.filter(({ message }) => message === 'The body is not JSON.')).toHaveLength(10)
  await stopPipeline(pipeline, deadline.signal)
  expect(lines.at(-1)).toMatchObject({
    message: expect.stringMatching(/^and 3 more in the last \d+ s$/),
    fields: { code: 'HG_INTAKE_NOT_JSON', count: 3 },
  })
})
