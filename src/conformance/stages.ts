import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { checkShape } from '../config/shape.js'
import { HeadgateError } from '../contract/errors.js'
import type { Event, LoggedRecord, Outcome, Verdict } from '../contract/index.js'
import { parseBody } from '../lib/json/body.js'
import { type Check, createStage, type Subject } from './subject.js'

const RECEIPT = { topic: 'events', partition: 1, offset: 7 }
const dataError = new HeadgateError('HG_SCHEMA_VIOLATION', 'The event does not fit.')
const limitError = new HeadgateError('HG_INTAKE_LIMIT_PIPELINE', 'Too many.', { retryAfter: 7 })
const ourError = new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is down.')

const EXPECTED: readonly { readonly outcome: Outcome; readonly status: readonly number[] }[] = [
  { outcome: { kind: 'accepted', id: 'a', receipt: RECEIPT }, status: [200] },
  { outcome: { kind: 'delivered', id: 'a', receipt: RECEIPT }, status: [200] },
  { outcome: { kind: 'duplicate', id: 'a', receipt: RECEIPT }, status: [200] },
  { outcome: { kind: 'dropped', id: 'a' }, status: [200] },
  { outcome: { kind: 'dead-lettered', id: 'a', receipt: RECEIPT }, status: [202] },
  { outcome: { kind: 'rejected', id: 'a', error: dataError }, status: [422] },
  { outcome: { kind: 'rejected', id: undefined, error: dataError }, status: [422] },
  { outcome: { kind: 'limited', id: undefined, error: limitError }, status: [429] },
  { outcome: { kind: 'unavailable', id: 'a', error: ourError }, status: [503] },
]

/** Senders rely on the status: 2xx means durable, 4xx means do not try again, 429 and 503 mean try again, and when. */
export function sourceChecks(subject: Subject<'source'>): readonly Check[] {
  if (subject.definition.topics !== undefined) return recordSourceChecks(subject)
  return [
    ...EXPECTED.map(({ outcome, status }) => ({
      name: `responds to ${outcome.kind}${outcome.id === undefined ? ' without an id' : ''} with ${status}`,
      async run() {
        const response = createStage(subject).instance.respond(outcome)
        assert(status.includes(response.status), `it was ${response.status}`)
        const body = JSON.parse(response.body) as { [name: string]: unknown }
        if (outcome.kind === 'unavailable' || outcome.kind === 'limited')
          assert.match(response.headers['retry-after'] ?? '', /^\d+$/)
        if ('error' in outcome) {
          assert.equal(response.headers['content-type'], 'application/problem+json')
          assert.equal(body['code'], outcome.error.code)
        }
        if ('receipt' in outcome) assert.deepEqual(body, { id: 'a', outcome: outcome.kind, ...RECEIPT })
      },
    })),
    {
      name: 'responds to a handshake as it asked for',
      async run() {
        const response = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'challenge' }
        const outcome = { kind: 'handshake', id: undefined, form: 'query', response } as const
        assert.deepEqual(createStage(subject).instance.respond(outcome), response)
      },
    },
    {
      name: 'accepts the settings that it has for dry runs',
      async run() {
        const { definition, config } = subject
        for (const change of [definition.unverified, definition.detached]) {
          const changed = structuredClone(change?.(config) ?? config) as object
          assert.deepEqual(checkShape(definition.config, changed), [])
          createStage({ ...subject, config: changed })
        }
      },
    },
    {
      name: 'serves nothing before it is started or after it is stopped',
      async run() {
        const { instance, served } = createStage(subject)
        assert.equal(served.size, 0)
        await instance.start(() => Promise.reject(new Error('nothing is sent here')))
        assert(served.size > 0, 'it serves no path')
        await instance.stop()
        assert.equal(served.size, 0)
      },
    },
  ]
}

/** Requirements of a source that makes its events of records. */
function recordSourceChecks(subject: Subject<'source'>): readonly Check[] {
  return [
    {
      name: 'makes the same event of a record each time, and refuses garbage as bad data',
      async run() {
        const { records } = createStage(subject).instance
        if (records === undefined) return
        const [topic = ''] = records.topics
        for (const text of ['', '{', '\u0000', ...AWKWARD]) {
          const made = [1, 2].map((): unknown => {
            try {
              return records.receive(recordIn(topic, Buffer.from(text)))
            } catch (thrown) {
              assert(thrown instanceof HeadgateError, `it threw ${String(thrown)}`)
              assert.equal(thrown.kind, 'data')
              return thrown.code
            }
          })
          assert.deepEqual(JSON.stringify(made[0]), JSON.stringify(made[1]))
        }
      },
    },
  ]
}

const recordIn = (topic: string, value: Buffer): LoggedRecord => ({
  topic,
  partition: 0,
  offset: 7,
  timestamp: 0,
  key: null,
  value,
  header: () => undefined,
  headers: () => [],
})

/** Bodies as real senders send them. */
const AWKWARD = [
  '{}',
  '[]',
  'null',
  '1e400',
  '"text"',
  '{"__proto__":{"polluted":true}}',
  '{"payload":null}',
  '{"payload":[[]]}',
]

/** A transform judges events; it neither changes them in place nor fails on unexpected ones. */
export function transformChecks(subject: Subject<'transform'>): readonly Check[] {
  const events = [...subject.events, ...AWKWARD.map(eventOf)]
  const each = (name: string, check: (event: Event, verdict: Verdict) => void): Check => ({
    name,
    async run() {
      const { instance } = createStage(subject)
      await instance.start?.()
      for (const event of events) check(event, await verdictOf(() => instance.apply(event)))
      await instance.stop?.()
    },
  })
  return [
    each('returns a verdict for any event, and blames only the event', (event, verdict) => {
      if ('error' in verdict)
        assert.equal(verdict.error.kind, 'data', `on ${event.body.bytes}: ${verdict.error.message}`)
    }),
    each('does not change an event in place', ({ body }) => {
      assert(isDeepStrictEqual(body.value, JSON.parse(body.bytes.toString())), `it changed ${body.bytes}`)
      assert.equal(({} as { polluted?: boolean }).polluted, undefined)
    }),
    {
      name: 'is pure: takes a frozen event, and has the same verdict when the event comes again',
      async run() {
        const { instance } = createStage(subject)
        await instance.start?.()
        const verdictAgain = async (event: Event) => {
          const input = frozen(event)
          const verdict = comparable(await verdictOf(() => instance.apply(input)))
          assert(input.body.bytes.equals(event.body.bytes), `it changed the bytes of ${event.body.bytes}`)
          return verdict
        }
        for (const event of events) {
          const first = await verdictAgain(event)
          for (const other of events) await verdictOf(() => instance.apply(other))
          assert.deepEqual(await verdictAgain(event), first, `on ${event.body.bytes}`)
        }
        await instance.stop?.()
      },
    },
    each('keeps the id of an event that passes', (event, verdict) => {
      if (verdict.kind === 'pass') assert.equal(verdict.event.id, event.id)
    }),
    {
      name: 'explains its verdict for any event, if it explains verdicts',
      async run() {
        const { instance } = createStage(subject)
        const rules = subject.definition.rules?.(subject.config)
        for (const event of events) {
          const { rule, details } = (await instance.explain?.(event)) ?? { details: [] }
          for (const { name, looked } of details) assert(name !== '' && Array.isArray(looked))
          if (rule !== undefined)
            assert(
              rules?.some(({ name }) => name === rule),
              `"rules" does not name ${rule}`,
            )
        }
      },
    },
    {
      name: 'passes the events of the test',
      async run() {
        const { instance } = createStage(subject)
        for (const event of subject.events)
          assert.equal((await verdictOf(() => instance.apply(event))).kind, 'pass')
      },
    },
  ]
}

/** A transform that writes to it throws. The bytes cannot be frozen: they are compared. */
function frozen(event: Event): Event {
  const { bytes } = event.body
  const body = parseBody(Buffer.from(bytes), 64)
  deepFreeze(body.value)
  return Object.freeze({ ...event, body })
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const each of Object.values(value)) deepFreeze(each)
}

/** The part of a verdict that decides on the event. */
function comparable(verdict: Verdict): unknown {
  if (verdict.kind === 'pass') {
    const { body, ...event } = verdict.event
    return { kind: 'pass', event, bytes: body.bytes.toString('base64') }
  }
  if (!('error' in verdict)) return verdict
  const { code, message, violations, rule } = verdict.error
  return { kind: verdict.kind, code, message, violations, rule }
}

async function verdictOf(apply: () => Verdict | Promise<Verdict>): Promise<Verdict> {
  try {
    return await apply()
  } catch (error) {
    if (error instanceof HeadgateError) return { kind: 'fail', error }
    throw error
  }
}

const eventOf = (text: string): Event => ({
  id: 'awkward',
  body: parseBody(Buffer.from(text), 64),
  receivedAt: 0,
})

const headers = [{ name: 'headgate-event-id', value: 'a' }]
const target = { topic: 'events', partition: 0 }

/** A sink never says that a record is durable when it is not. */
export function sinkChecks(subject: Subject<'sink'>): readonly Check[] {
  return [
    {
      name: 'creates a record with the given headers first, for the target of the route',
      async run() {
        const { instance } = createStage(subject)
        for (const event of subject.events) {
          const record = instance.record({ ...event, route: { name: 'any', target } }, headers)
          assert.deepEqual(record.target, target)
          assert.deepEqual(record.headers.slice(0, 1), headers)
          assert.deepEqual(record.key, instance.key(event))
          const own = instance.headers?.(event)
          if (own !== undefined) assert.deepEqual(record.headers, [...headers, ...own])
        }
      },
    },
    {
      name: 'is not ready while the addresses do not respond, and rejects records as infrastructure errors',
      async run() {
        const { instance, abort } = createStage(subject)
        instance.expect([{ target, location: 'plugins.config.json:1:1' }])
        await instance.start?.()
        assert((instance.notReady?.() ?? []).length > 0, 'it says that it is ready')
        assert(instance.ready !== undefined, 'it does not say when it is ready')
        const record = { target, key: null, value: Buffer.from('{}'), headers }
        await assert.rejects(instance.send(record), (error) => {
          assert(error instanceof HeadgateError, String(error))
          assert.equal(error.kind, 'infrastructure')
          return true
        })
        abort()
        await instance.stop?.()
      },
    },
  ]
}

/** An acknowledgement that fails now is retried; it never counts as made. */
export function postCommitChecks(subject: Subject<'post-commit'>): readonly Check[] {
  return [
    {
      name: 'shows its request without a secret, if it shows its request',
      async run() {
        const { instance } = createStage(subject)
        const shown = JSON.stringify(instance.request?.({ id: 'a/b ü', receipt: RECEIPT }) ?? '')
        for (const secret of subject.secrets) assert(!shown.includes(secret), 'a secret is shown')
      },
    },
    {
      name: 'asks for a retry while the addresses do not respond, and reveals no secret',
      async run() {
        const { instance, logged } = createStage(subject)
        await instance.start?.()
        const attempt = await instance.acknowledge({ id: 'a/b ü', receipt: RECEIPT })
        await instance.stop?.()
        assert.equal(attempt.kind, 'retry')
        const said = [...logged, 'error' in attempt ? attempt.error.message : ''].join('\n')
        for (const secret of subject.secrets) assert(!said.includes(secret), 'a secret was told')
      },
    },
  ]
}
