import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { HeadgateError } from '../contract/errors.js'
import type { Event, Verdict } from '../contract/index.js'
import { parseBody } from '../lib/json/body.js'
import { tryStage } from './stage-context.js'
import type { Check, Subject } from './test-plugin.js'

/** What senders do send. */
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

/** A transform judges events; it neither changes them in place nor fails on what it did not expect. */
export function transformChecks(subject: Subject<'transform'>): readonly Check[] {
  const events = [...subject.events, ...AWKWARD.map(eventOf)]
  const each = (name: string, check: (event: Event, verdict: Verdict) => void): Check => ({
    name,
    async run() {
      const { instance } = tryStage(subject)
      await instance.start?.()
      for (const event of events) check(event, await judged(() => instance.apply(event)))
      await instance.stop?.()
    },
  })
  return [
    each('judges whatever is sent, and blames nobody but the event', (event, verdict) => {
      if ('error' in verdict)
        assert.equal(verdict.error.kind, 'data', `on ${event.body.bytes}: ${verdict.error.message}`)
    }),
    each('does not change an event in place', ({ body }) => {
      assert(isDeepStrictEqual(body.value, JSON.parse(body.bytes.toString())), `it changed ${body.bytes}`)
      assert.equal(({} as { polluted?: boolean }).polluted, undefined)
    }),
    each('keeps the id of an event that passes', (event, verdict) => {
      if (verdict.kind === 'pass') assert.equal(verdict.event.id, event.id)
    }),
    {
      name: 'explains itself for whatever is sent, where it explains itself at all',
      async run() {
        const { instance } = tryStage(subject)
        const rules = subject.definition.rules?.(subject.config)
        for (const event of events) {
          const { rule, details } = (await instance.explain?.(event)) ?? { details: [] }
          for (const { name, looked } of details) assert(name !== '' && Array.isArray(looked))
          if (rule !== undefined) assert(rules?.includes(rule), `"rules" does not name ${rule}`)
        }
      },
    },
    {
      name: 'lets the events pass that it is tried with',
      async run() {
        const { instance } = tryStage(subject)
        for (const event of subject.events)
          assert.equal((await judged(() => instance.apply(event))).kind, 'pass')
      },
    },
  ]
}

async function judged(apply: () => Verdict | Promise<Verdict>): Promise<Verdict> {
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
