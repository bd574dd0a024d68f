import assert from 'node:assert/strict'
import { checkShape } from '../config/shape.js'
import { HeadgateError } from '../contract/errors.js'
import type { Outcome } from '../contract/index.js'
import { tryStage } from './stage-context.js'
import type { Check, Subject } from './test-plugin.js'

const receipt = { topic: 'events', partition: 1, offset: 7 }
const data = new HeadgateError('HG_SCHEMA_VIOLATION', 'The event does not fit.')
const ours = new HeadgateError('HG_KAFKA_UNAVAILABLE', 'Kafka is down.')

const EXPECTED: readonly { readonly outcome: Outcome; readonly status: readonly number[] }[] = [
  { outcome: { kind: 'delivered', id: 'a', receipt }, status: [200] },
  { outcome: { kind: 'duplicate', id: 'a', receipt }, status: [200] },
  { outcome: { kind: 'dropped', id: 'a' }, status: [200] },
  { outcome: { kind: 'dead-lettered', id: 'a', receipt }, status: [202] },
  { outcome: { kind: 'rejected', id: 'a', error: data }, status: [422] },
  { outcome: { kind: 'rejected', id: undefined, error: data }, status: [422] },
  { outcome: { kind: 'unavailable', id: 'a', error: ours }, status: [503] },
]

/** What senders rely on: 2xx means durable, 4xx means do not try again, 503 means try again and when. */
export function sourceChecks(subject: Subject<'source'>): readonly Check[] {
  return [
    ...EXPECTED.map(({ outcome, status }) => ({
      name: `answers ${outcome.kind}${outcome.id === undefined ? ' without an id' : ''} with ${status}`,
      async run() {
        const answer = tryStage(subject).instance.respond(outcome)
        assert(status.includes(answer.status), `it was ${answer.status}`)
        const body = JSON.parse(answer.body) as { [name: string]: unknown }
        if (outcome.kind === 'unavailable') assert.match(answer.headers['retry-after'] ?? '', /^\d+$/)
        if ('error' in outcome) {
          assert.equal(answer.headers['content-type'], 'application/problem+json')
          assert.equal(body['code'], outcome.error.code)
        }
        if ('receipt' in outcome) assert.deepEqual(body, { id: 'a', outcome: outcome.kind, ...receipt })
      },
    })),
    {
      name: 'takes the settings that rehearsals give it, where it has any for them',
      async run() {
        const { definition, config } = subject
        const unverified = structuredClone(definition.unverified?.(config) ?? config) as object
        assert.deepEqual(checkShape(definition.config, unverified), [])
        tryStage({ ...subject, config: unverified })
      },
    },
    {
      name: 'serves nothing before it is started or after it is stopped',
      async run() {
        const { instance, served } = tryStage(subject)
        assert.equal(served.size, 0)
        await instance.start(() => Promise.reject(new Error('nothing is sent here')))
        assert(served.size > 0, 'it serves no path')
        await instance.stop()
        assert.equal(served.size, 0)
      },
    },
  ]
}
