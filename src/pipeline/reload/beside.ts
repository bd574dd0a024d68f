import { setTimeout as wait } from 'node:timers/promises'
import { HeadgateError } from '../../contract/errors.js'
import { untilAborted } from '../../lib/async.js'
import { notReady } from '../lifecycle.js'
import { stagesOf } from '../pipeline.js'
import { hasOtherTargets, targetsInUse } from './targets-in-use.js'
import { isFresh, type Swap } from './transition.js'

/** All in milliseconds. */
const STAGE_READY_WITHIN = 5000
/** A pipeline that is new reads its ledger back first: until then its sender would be answered 503. */
const PIPELINE_READY_WITHIN = 60_000
const LOOK_EVERY = 20

/** Starts what the next config has and the running one has not, beside it. Takes no event. */
export async function startBeside({ running, next }: Swap, signal: AbortSignal): Promise<void> {
  if (next === undefined) return
  const { stages, runtime, targets, ledger } = next
  for (const { stage } of stages.postCommit) if (isFresh(stage, running)) await stage.instance.start?.()
  const sinkIsFresh = isFresh(stages.sink, running)
  if (sinkIsFresh) await stages.sink.instance.start?.()
  if (running === undefined) await ledger.start()
  for (const stage of stages.transforms) if (isFresh(stage, running)) await stage.instance.start?.()

  if (running === undefined) {
    await ready(() => notReady(next), PIPELINE_READY_WITHIN, signal)
    return
  }
  const fresh = [...stages.postCommit.map(({ stage }) => stage), stages.sink, ...stages.transforms].filter(
    (stage) => isFresh(stage, running),
  )
  await ready(() => fresh.flatMap(({ instance }) => instance.notReady?.() ?? []), STAGE_READY_WITHIN, signal)
  if (sinkIsFresh) {
    // Sinks are exchanged one at a time: what becomes of a record, only the sink that sent it can tell.
    const { live } = runtime
    const older = `${next.name}: the sink is to be exchanged, and events of an older config are still under way.`
    await ready(() => (live.size > 1 ? [older] : []), STAGE_READY_WITHIN, signal)
  } else if (hasOtherTargets(running, next)) {
    const sink = stages.sink.instance
    await sink.check?.(targets)
    sink.expect(targetsInUse(sink, [...runtime.live, next]))
  } else return
  // Partitions that were never known may hold records of this pipeline all the same: of a config of the past whose state
  // was lost. They are read before the first event can be taken for them, or a redelivery would be a second record. Those
  // that are known need no reading: all that was written there since was reported to this process.
  const { log } = next.terms
  if (log !== undefined) await ledger.catchUp(log)
}

/** Stops what did not come to run. */
export async function discard({ running, next }: Swap, signal: AbortSignal): Promise<void> {
  if (next === undefined) return
  const { stages, runtime } = next
  for (const stage of stagesOf(next)) {
    if (isFresh(stage, running)) {
      await untilAborted(stage.instance.stop?.(), signal)
      stage.metrics.close()
    }
  }
  for (const { acknowledger, metrics } of stages.postCommit)
    if (!running?.stages.postCommit.some((before) => before.acknowledger === acknowledger)) metrics.close()
  if (running === undefined) {
    await next.ledger.stop()
    runtime.metrics.close()
  } else if (!isFresh(stages.sink, running)) {
    const sink = stages.sink.instance
    sink.expect(targetsInUse(sink, [...runtime.live]))
  }
  next.metrics.close()
}

async function ready(reasons: () => readonly string[], within: number, signal: AbortSignal): Promise<void> {
  const startedAt = performance.now()
  while (reasons().length > 0) {
    if (signal.aborted || performance.now() - startedAt > within)
      throw new HeadgateError('HG_RELOAD_FAILED', reasons().join(' '))
    await wait(LOOK_EVERY)
  }
}
