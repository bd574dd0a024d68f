import assert from 'node:assert/strict'
import { tryStage } from './stage-context.js'
import type { Check, Subject } from './test-plugin.js'

/** An acknowledgement that cannot be made now is made later; it is never thought made. */
export function postCommitChecks(subject: Subject<'post-commit'>): readonly Check[] {
  return [
    {
      name: 'shows its request without a secret, where it shows it at all',
      async run() {
        const { instance } = tryStage(subject)
        const receipt = { topic: 'events', partition: 0, offset: 1 }
        const shown = JSON.stringify(instance.request?.({ id: 'a/b ü', receipt }) ?? '')
        for (const secret of subject.secrets) assert(!shown.includes(secret), 'a secret is shown')
      },
    },
    {
      name: 'asks for another attempt while nobody answers, and tells no secret',
      async run() {
        const { instance, logged } = tryStage(subject)
        await instance.start?.()
        const receipt = { topic: 'events', partition: 0, offset: 1 }
        const attempt = await instance.acknowledge({ id: 'a/b ü', receipt })
        await instance.stop?.()
        assert.equal(attempt.kind, 'retry')
        const said = [...logged, 'error' in attempt ? attempt.error.message : ''].join('\n')
        for (const secret of subject.secrets) assert(!said.includes(secret), 'a secret was told')
      },
    },
  ]
}
