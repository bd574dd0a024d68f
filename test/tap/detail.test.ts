import { expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import type { Outcome } from '../../src/contract/index.js'
import { parseBody } from '../../src/lib/json/body.js'
import type { AcknowledgementAttempt, CompletedEvent } from '../../src/pipeline/taps.js'
import { eventDetail } from '../../src/tap/detail.js'
import { type KeptEvent, KeptEvents } from '../../src/tap/kept-events.js'
import { completedEvent } from './setup.js'

const receipt = { topic: 'events', partition: 0, offset: 1 }
const delivered = (id: string, body = '{}'): CompletedEvent => {
  const outcome: Outcome = { kind: 'delivered', id, receipt }
  const bytes = Buffer.from(body)
  const event = { id, body: parseBody(bytes, 10), receivedAt: 0 }
  return completedEvent({ outcome, event })
}
const attempt = (id: string, outcome: AcknowledgementAttempt['outcome']): AcknowledgementAttempt => ({
  pipeline: 'orders',
  stage: 'post-commit.0.ack',
  id,
  outcome,
  at: 0,
  took: 12,
  error: outcome === 'retry' ? new HeadgateError('HG_ACK_RETRY', 'The response is 503 to 4111.') : undefined,
})

test('the attempts at acknowledging a kept event are kept with it, and those of others are not', () => {
  const kept = new KeptEvents()
  const number = kept.add(delivered('a'), 'all')
  for (const outcome of ['retry', 'acknowledged'] as const) kept.attempted(attempt('a', outcome))
  kept.attempted(attempt('b', 'acknowledged'))
  expect(kept.get(number)?.attempts.map(({ outcome }) => outcome)).toEqual(['retry', 'acknowledged'])
})

test('only the newest events are kept, and of large bodies as many as fit', () => {
  const kept = new KeptEvents()
  for (let n = 0; n < 300; n++) kept.add(delivered(`${n}`), undefined)
  expect([kept.get(100), kept.get(101)?.number, kept.get(300)?.number]).toEqual([undefined, 101, 300])
  const large = `"${'x'.repeat(3 * 1024 * 1024)}"`
  const first = kept.add(delivered('large', large), undefined)
  const second = kept.add(delivered('larger', large), undefined)
  expect([kept.get(300), kept.get(first), kept.get(second)?.number]).toEqual([undefined, undefined, second])
  kept.attempted(attempt('large', 'acknowledged'))
})

test('a kept event that was not JSON has its body as it was received, which counts as well', () => {
  const kept = new KeptEvents()
  const original = { type: 'application/xml', bytes: Buffer.from('<a/>') }
  const add = (id: string, bytes: Buffer) => {
    const completed = delivered(id)
    const event = completed.event && {
      ...completed.event,
      body: { ...completed.event.body, original: { ...original, bytes } },
    }
    return kept.add({ ...completed, event }, undefined)
  }
  const number = add('a', original.bytes)
  const detail = eventDetail(kept.get(number) as KeptEvent, { payload: 1000, masks: [] }, new Map())
  expect(detail).toMatchObject({
    payload: '{}',
    received: { type: 'application/xml', text: '<a/>' },
    bytes: 4,
  })
  add('large', Buffer.alloc(3 * 1024 * 1024))
  add('larger', Buffer.alloc(3 * 1024 * 1024))
  expect(kept.get(number)).toBeUndefined()
})

test('a detail has the record, the times, the trace and the attempts, and nothing that is masked or secret', () => {
  const body = '{"card":"4111","note":"the-secret-of-it"}'
  const error = new HeadgateError('HG_SCHEMA_VIOLATION', 'No: 4111.', {
    violations: [{ pointer: '/card', message: 'is 4111' }],
  })
  const completed: CompletedEvent = {
    ...delivered('a', body),
    pipeline: { name: 'orders', masks: [['card']] },
    error,
    record: {
      target: { topic: 'events' },
      key: Buffer.from('4111'),
      value: Buffer.from(body),
      headers: [
        { name: 'headgate-event-id', value: 'a 4111' },
        { name: 'headgate-mac', value: 'proof' },
        { name: 'headgate-request', value: '{"headers":{"x-key":"proof"}}' },
      ],
    },
    times: [{ stage: 'sink.kafka', from: 0.5, ms: 2 }],
  }
  const event = completed.event && {
    ...completed.event,
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  }
  const kept: KeptEvent = {
    number: 7,
    completed: { ...completed, event },
    rule: 'all',
    attempts: [attempt('a', 'retry')],
  }
  const detail = eventDetail(kept, { payload: 1000, masks: [] }, new Map([['the-secret-of-it', '${env:S}']]))
  expect(detail).toMatchObject({
    number: 7,
    route: 'all',
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    payload: '{"card":"***","note":"${env:S}"}',
    violations: [{ pointer: '/card', message: 'is ***' }],
    record: { key: '***', headers: [{ name: 'headgate-event-id', value: 'a ***' }] },
    times: [{ stage: 'sink.kafka', from: 0.5, ms: 2 }],
    attempts: [{ stage: 'post-commit.0.ack', outcome: 'retry', code: 'HG_ACK_RETRY', ms: 12 }],
  })
  expect(JSON.stringify(detail)).not.toMatch(/4111|the-secret-of-it|proof/)
})

test('of a body that cannot be read, nothing is shown that could hold a part of it', () => {
  const completed = { ...delivered('a'), pipeline: { name: 'orders', masks: [['card']] } }
  const event = completed.event && {
    ...completed.event,
    body: { ...completed.event.body, bytes: Buffer.from('{"card":"4111"') },
  }
  const record = {
    target: { topic: 'events' },
    key: Buffer.from('4111'),
    value: Buffer.alloc(0),
    headers: [],
  }
  const kept: KeptEvent = {
    number: 1,
    completed: { ...completed, event, record },
    rule: undefined,
    attempts: [],
  }
  expect(JSON.stringify(eventDetail(kept, { payload: 1000, masks: [] }, new Map()))).not.toContain('4111')
})
