import { describe, expect, it } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { problem } from '../../src/http/problem.js'

describe('problem', () => {
  it('turns a data error into a response with its status and message', () => {
    const { status, headers, body } = problem(
      new HeadgateError('HG_INTAKE_NOT_JSON', 'The body is not JSON: it is empty.'),
    )
    expect(status).toBe(400)
    expect(headers).toEqual({ 'content-type': 'application/problem+json' })
    expect(JSON.parse(body)).toEqual({
      type: 'urn:headgate:error:HG_INTAKE_NOT_JSON',
      title: 'The body is not valid JSON.',
      status: 400,
      detail: 'The body is not JSON: it is empty.',
      code: 'HG_INTAKE_NOT_JSON',
    })
  })

  it('names the event if its id is known', () => {
    const { body } = problem(new HeadgateError('HG_ROUTE_NO_MATCH', 'No rule matched.'), 'evt-1')
    expect(JSON.parse(body)).toMatchObject({ id: 'evt-1', status: 422 })
  })

  it('lists every violation with its JSON Pointer', () => {
    const violations = [
      { pointer: '/payload', message: 'must be object' },
      { pointer: '/at', message: 'must be string' },
    ]
    const { body } = problem(new HeadgateError('HG_SCHEMA_VIOLATION', 'Two violations.', { violations }))
    expect(JSON.parse(body).errors).toEqual(violations)
  })

  it('tells the sender when to try again only if the fault is ours', () => {
    const ours = new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is away.', { retryAfter: 30 })
    expect(problem(ours)).toMatchObject({ status: 503, headers: { 'retry-after': '30' } })
    expect(problem(new HeadgateError('HG_INTAKE_BUSY', 'Full.')).headers['retry-after']).toMatch(/^[1-9]\d*$/)
    expect(problem(new HeadgateError('HG_INTAKE_NO_ID', 'No id.')).headers).not.toHaveProperty('retry-after')
  })

  it('adds the given headers', () => {
    const error = new HeadgateError('HG_INTAKE_METHOD', 'Not GET.')
    expect(problem(error, undefined, { allow: 'POST' })).toMatchObject({
      status: 405,
      headers: { allow: 'POST' },
    })
  })

  it('never shows the cause of the error', () => {
    const error = new HeadgateError('HG_PLUGIN_FAILED', 'It failed.', {
      cause: new Error('password=hunter2'),
    })
    expect(problem(error).body).not.toContain('hunter2')
  })
})
