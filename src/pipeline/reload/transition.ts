import { HeadgateError } from '../../contract/errors.js'
import { untilAborted } from '../../lib/async.js'
import { intakeOf, isHeld, showMetrics } from '../lifecycle.js'
import { type BuiltSource, type Pipeline, stagesOf } from '../pipeline.js'
import type { BuiltStage } from '../stage.js'
import { stageAfter } from './changes.js'
import type { Fronts } from './fronts.js'

/** A pipeline under the config so far and under the next one; one of the two is missing where it comes or goes. */
export interface Swap {
  readonly running: Pipeline | undefined
  readonly next: Pipeline | undefined
}

/** Milliseconds that senders wait for, at most, when records are still under way to a sink that is exchanged. */
const HOLD = 5000

/** Whether the running pipeline has no such stage: it is started and stopped with the config that has. */
export const isFresh = (stage: BuiltStage, running: Pipeline | undefined): boolean =>
  !stagesOf(running).includes(stage)

/** All that can fail has succeeded: one of the two is called. */
export interface Armed {
  /** In one go: no event comes in between. */
  commit(): void
  abandon(): Promise<void>
}

/**
 * Brings all pipelines to where they can be swapped between two events. Nothing has changed until they are; rejects where
 * they cannot be. Requests that come meanwhile wait, a few milliseconds in general. `fronts`: the workers, which take over
 * with it.
 */
export async function arm(
  swaps: readonly Swap[],
  signal: AbortSignal,
  fronts?: Pick<Fronts, 'arm' | 'commit'>,
): Promise<Armed> {
  const gate = closeGate()
  const started: BuiltSource[] = []
  const abandon = async (): Promise<void> => {
    gate.open()
    for (const source of started) {
      await source.paths.withdraw?.()
      await source.instance.stop()
    }
  }
  try {
    const exchanged = swaps.flatMap(({ running, next }) =>
      running !== undefined && next !== undefined && isFresh(next.stages.sink, running)
        ? [{ running, next }]
        : [],
    )
    for (const { running } of exchanged) gate.hold(running.stages.source)
    // What workers have taken under the config so far has been handed over by then.
    await fronts?.arm()
    for (const { running, next } of exchanged) {
      await settled(running, signal)
      if (running.ledger.canMoveTo(next.terms.log)) continue
      const message = `${next.name}: the ledger is finding out which records the sink has that is to be exchanged.`
      throw new HeadgateError('HG_RELOAD_FAILED', message)
    }
    for (const { running, next } of swaps)
      if (running !== undefined && next?.stages.source !== running.stages.source)
        running.stages.source.paths.offer?.()
    for (const { running, next } of swaps) {
      if (next === undefined || !isFresh(next.stages.source, running)) continue
      const { source } = next.stages
      gate.hold(source)
      // What comes before the swap is done is taken under the config so far, should the swap fail.
      source.feed.to = running ?? next
      started.push(source)
      await source.instance.start(intakeOf(source))
    }
  } catch (error) {
    await abandon()
    throw error
  }
  return {
    commit() {
      for (const each of swaps) commit(each)
      fronts?.commit()
      gate.open()
    },
    abandon,
  }
}

function commit({ running, next }: Swap): void {
  if (next === undefined) return
  const { stages, runtime, settings, terms, ledger } = next
  runtime.live.add(next)
  if (running !== undefined) {
    for (const before of running.stages.postCommit)
      if (!stages.postCommit.includes(before)) void before.acknowledger.stop()
    ledger.change(terms, stageAfter(running.settings.postCommit, settings.postCommit))
    // What the old source is still being sent must not go to a sink that the ledger no longer listens to.
    if (isFresh(stages.sink, running)) running.stages.source.feed.to = next
  }
  stages.source.feed.to = next
  showMetrics(next)
  for (const now of stages.postCommit)
    if (!running?.stages.postCommit.includes(now)) now.acknowledger.start(isHeld(next))
}

/** Lets the events of sources wait, and then go on where they feed by then. */
function closeGate(): { hold(source: BuiltSource): void; open(): void } {
  const held: BuiltSource[] = []
  let pass = (): void => {}
  const gate = new Promise<void>((resolve) => {
    pass = resolve
  })
  return {
    hold(source) {
      source.feed.gate = gate
      held.push(source)
    },
    open() {
      for (const { feed } of held) feed.gate = undefined
      pass()
    },
  }
}

async function settled(running: Pipeline, signal: AbortSignal): Promise<void> {
  const enough = new AbortController()
  const stop = () => enough.abort()
  const timer = setTimeout(stop, HOLD)
  signal.addEventListener('abort', stop, { once: true })
  await untilAborted(
    Promise.all([...running.runtime.live].map(({ traffic }) => traffic.idle())),
    enough.signal,
  )
  clearTimeout(timer)
  signal.removeEventListener('abort', stop)
  const left = [...running.runtime.live].reduce((sum, { traffic }) => sum + traffic.inFlight(), 0)
  if (left === 0) return
  const message = `${running.name}: the sink is to be exchanged, and ${left} events are still under way to the one of now after ${HOLD / 1000} s.`
  throw new HeadgateError('HG_RELOAD_FAILED', message)
}
