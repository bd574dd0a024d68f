import assert from 'node:assert/strict'
import type { Intake, KindTypes } from '../contract/index.js'
import { tryStage } from './stage-context.js'
import type { Check, Subject } from './test-plugin.js'

/** Between `start` and `stop` a stage may do what it likes; before and after, nothing. */
export function lifecycleChecks(subject: Subject): readonly Check[] {
  return [
    {
      name: 'opens nothing when it is created',
      async run() {
        const before = resources()
        tryStage(subject)
        assert.deepEqual(opened(before), [])
      },
    },
    {
      name: 'can be stopped without having been started',
      run: async () => tryStage(subject).instance.stop?.(),
    },
    {
      name: 'starts though nobody answers, and leaves nothing open when it is stopped',
      async run() {
        const before = resources()
        const { instance, logged } = tryStage(subject)
        await start(instance)
        await instance.stop?.()
        await settled(before)
        assert.deepEqual(opened(before), [], 'still open after stop')
        for (const secret of subject.secrets) {
          assert(!logged.some((line) => line.includes(secret)), 'a secret was logged')
        }
      },
    },
    {
      name: 'can be stopped twice',
      async run() {
        const { instance } = tryStage(subject)
        await start(instance)
        await instance.stop?.()
        await instance.stop?.()
      },
    },
  ]
}

const nobody: Intake = () => Promise.reject(new Error('nothing is sent here'))

const start = (instance: KindTypes[keyof KindTypes]['instance']): Promise<void> | undefined =>
  instance.start?.(nobody)

/** What keeps the process alive, by its kind. A timer that was unref'd does not count. */
const resources = (): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

const opened = (before: ReadonlyMap<string, number>): string[] =>
  [...resources()].flatMap(([name, count]) => (count > (before.get(name) ?? 0) ? [name] : []))

/** Handles close over a few turns; those that are still there then are not being closed. */
async function settled(before: ReadonlyMap<string, number>): Promise<void> {
  for (let turn = 0; turn < 200 && opened(before).length > 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
