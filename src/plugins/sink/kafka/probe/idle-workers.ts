import type { LintMeaning, Probed } from '../../../../contract/index.js'

export const WORKER_LINTS = {
  'idle-workers': {
    meaning: 'There are more workers than partitions to work off.',
    why: 'Each worker is an instance of a pipeline with an inbox or with the source `kafka`, and a partition is worked off by one instance. Workers without a partition do nothing, or only take events in, so the others are the limit.',
    needs: 'cluster',
  },
} as const satisfies { readonly [name: string]: LintMeaning }

interface SharedPartitions {
  readonly at: string
  /** As HEADGATE_WORKERS says. */
  readonly workers: number
  readonly partitions: number
  /** The beginning of a sentence that ends with the number of partitions. */
  readonly subject: string
  /** Another way than fewer workers. */
  readonly remedy: string
}

/** The workers of other machines are not known here. */
export function* idleWorkers({
  at,
  workers,
  partitions,
  subject,
  remedy,
}: SharedPartitions): Generator<Probed> {
  if (partitions >= workers) return
  const idle = workers - partitions
  yield {
    kind: 'warning',
    at,
    name: 'idle-workers',
    message: `${subject} ${partitions === 1 ? 'one partition' : `${partitions} partitions`}, and HEADGATE_WORKERS is ${workers}: ${idle === 1 ? 'one worker has' : `${idle} workers have`} nothing to work off.`,
    suggestion: `Set HEADGATE_WORKERS to ${partitions} or less, or ${remedy}.`,
  }
}
