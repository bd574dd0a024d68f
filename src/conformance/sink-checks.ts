import assert from 'node:assert/strict'
import { HeadgateError } from '../contract/errors.js'
import { tryStage } from './stage-context.js'
import type { Check, Subject } from './test-plugin.js'

const headers = [{ name: 'headgate-event-id', value: 'a' }]
const target = { topic: 'events', partition: 0 }

/** A sink never says that a record is durable when it is not. */
export function sinkChecks(subject: Subject<'sink'>): readonly Check[] {
  return [
    {
      name: 'makes a record with the given headers first, for the target of the route',
      async run() {
        const { instance } = tryStage(subject)
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
      name: 'says why it is not ready while nobody answers, and refuses records with a fault of ours',
      async run() {
        const { instance, abort } = tryStage(subject)
        instance.expect([{ target, place: 'plugins.config.json:1:1' }])
        await instance.start?.()
        assert((instance.notReady?.() ?? []).length > 0, 'it says that it is ready')
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
