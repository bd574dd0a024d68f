import { once } from 'node:events'
import type { Pipeline } from './build.js'
import { run } from './run.js'

/**
 * Starts downstream first, so that nothing is taken before there is a place for it. Rejects where a stage cannot ever
 * work; what may yet come (Kafka down) is not an error but a reason in `notReady`.
 */
export async function startPipeline(pipeline: Pipeline): Promise<void> {
  for (const postCommit of pipeline.plugins.postCommit) await postCommit.start?.()
  await pipeline.sink.start?.()
  await pipeline.ledger.start()
  for (const acknowledger of pipeline.acknowledgers) acknowledger.start()
  for (const transform of pipeline.plugins.transforms) await transform.start?.()
  await pipeline.source.start((receive) => run(pipeline, receive))
}

/** What was still owed when a pipeline stopped. */
export interface Left {
  readonly pipeline: string
  /** Events received whose path had not ended: their senders were not answered 2xx. */
  readonly inFlight: number
  /** Events that are in Kafka and not acknowledged to their sender. */
  readonly unacknowledged: number
}

/**
 * Stops upstream first, so that everything taken still has somewhere to go: answers what is in flight, waits for the
 * reports of Kafka, then acknowledges. `deadline` ends the waiting; what is left is returned.
 */
export async function stopPipeline(pipeline: Pipeline, deadline: AbortSignal): Promise<Left> {
  await until(pipeline.source.stop(), deadline)
  for (const acknowledger of pipeline.acknowledgers) await acknowledger.drain(deadline)
  const left = {
    pipeline: pipeline.name,
    inFlight: pipeline.traffic.inFlight(),
    unacknowledged: pipeline.ledger.backlog().count,
  }
  for (const transform of pipeline.plugins.transforms) await until(transform.stop?.(), deadline)
  // Never cut short: what it writes is on a local disk, and closing that under it would lose it.
  await pipeline.ledger.stop()
  await until(pipeline.sink.stop?.(), deadline)
  for (const postCommit of pipeline.plugins.postCommit) await until(postCommit.stop?.(), deadline)
  return left
}

/** Why a pipeline cannot take events now, one sentence each. */
export const notReady = ({ sink, ledger, plugins }: Pipeline): string[] =>
  [sink, ledger, ...plugins.transforms, ...plugins.postCommit].flatMap((stage) => stage.notReady?.() ?? [])

/** Waits for `work`, but not beyond the deadline. */
async function until(work: Promise<void> | undefined, deadline: AbortSignal): Promise<void> {
  if (work === undefined || deadline.aborted) return
  await Promise.race([work, once(deadline, 'abort')])
}
