import { setTimeout as wait } from 'node:timers/promises'
import { untilAborted } from '../../lib/async.js'
import { stagesOf } from '../pipeline.js'
import type { BuiltStage } from '../stage.js'
import { targetsInUse } from './targets-in-use.js'
import type { Swap } from './transition.js'

/** Milliseconds. */
const LOOK_EVERY = 200

/**
 * Lets the pipeline of the config before end: what it has taken goes its way to the end, then what the next one has not
 * kept is stopped. `acknowledgeUntil` ends the waiting of a pipeline that is gone for its acknowledgements; how many are
 * left of them is returned.
 */
export async function retire(
  { running, next }: Swap,
  signal: AbortSignal,
  acknowledgeUntil: AbortSignal,
): Promise<number> {
  if (running === undefined) return 0
  const { stages, runtime } = running
  const kept = stagesOf(next)
  const gone = <Stage extends BuiltStage>(stage: Stage): boolean => !kept.includes(stage)
  if (gone(stages.source)) {
    await untilAborted(stages.source.paths.withdraw?.(), signal)
    await untilAborted(stages.source.instance.stop(), signal)
  }
  await untilAborted(running.traffic.idle(), signal)
  // What became of a record may still be being found out, and is where the targets of then are.
  if (next !== undefined)
    while (!signal.aborted && !running.ledger.canMoveTo(running.terms.log)) await wait(LOOK_EVERY)
  running.flushLogs()

  const goneAcknowledgers = stages.postCommit.filter((each) => !next?.stages.postCommit.includes(each))
  for (const { acknowledger } of goneAcknowledgers) {
    if (next === undefined) await acknowledger.drain(acknowledgeUntil)
    await untilAborted(acknowledger.stop(), signal)
  }
  for (const stage of stages.transforms) if (gone(stage)) await untilAborted(stage.instance.stop?.(), signal)
  const unacknowledged = next === undefined ? running.ledger.backlog().count : 0
  if (next === undefined) await running.ledger.stop()
  runtime.live.delete(running)
  if (gone(stages.sink)) await untilAborted(stages.sink.instance.stop?.(), signal)
  else stages.sink.instance.expect(targetsInUse(stages.sink.instance, [...runtime.live]))
  for (const { stage } of stages.postCommit)
    if (gone(stage)) await untilAborted(stage.instance.stop?.(), signal)

  for (const stage of stagesOf(running)) if (gone(stage)) stage.metrics.close()
  for (const { metrics } of goneAcknowledgers) metrics.close()
  running.metrics.close()
  if (next === undefined) runtime.metrics.close()
  return unacknowledged
}
