import type { HeadgateError } from '../../errors.js'
import type { Correlation, Event, Outcome } from '../../plugin.js'
import type { Pipeline } from '../build.js'
import type { Decision } from '../observe.js'
import { run } from '../run.js'
import type { Passed } from './passed.js'

/** Whoever is told of the events that pass. */
export interface Tap {
  /** Called when the event has its outcome. Never throws. */
  offer(passed: Passed): void
}

/** What nobody taps. */
export const NO_TAPS: ReadonlySet<Tap> = new Set()

/** The path of an event while somebody taps; they are told after whoever waits for the outcome. */
export function runWatched(
  pipeline: Pipeline,
  receive: () => Event,
  request: Correlation | undefined,
  taps: ReadonlySet<Tap>,
): Promise<Outcome> {
  const startedAt = performance.now()
  const seen: Seen = { event: undefined, rule: undefined, error: undefined, askRule: undefined }
  const ended = run(watch(pipeline, seen), receive, request)
  void ended.then((outcome) => {
    const took = performance.now() - startedAt
    const error = 'error' in outcome ? outcome.error : seen.error
    const rule = seen.rule ?? error?.rule
    const passed = { ...seen, pipeline, outcome, at: Date.now(), took, error, rule }
    setImmediate(() => {
      for (const tap of taps) tap.offer(passed)
    })
  })
  return ended
}

/** What the path of one event shows of itself. */
interface Seen {
  event: Passed['event']
  rule: Passed['rule']
  error: HeadgateError | undefined
  askRule: Passed['askRule']
}

/** The same pipeline, whose wrapped stages note what they decide on this event. */
function watch(pipeline: Pipeline, seen: Seen): Pipeline {
  const note = <Noted extends Decision<unknown>>(decision: Noted): Noted => {
    if ('error' in decision) seen.error = decision.error
    return decision
  }
  return {
    ...pipeline,
    receive(receive, passage) {
      const received = pipeline.receive(receive, passage)
      if (received.kind === 'pass') seen.event = received.given
      return received
    },
    transforms: pipeline.transforms.map((apply, index) => (event, passage) => {
      const noteTransform = (decision: Decision<Event>) => {
        const { transforms } = pipeline.plugins
        if (decision.kind === 'pass') seen.rule = decision.given.route?.name
        if (decision.kind === 'drop')
          seen.askRule = async () => (await transforms[index]?.explain?.(event))?.rule
        return note(decision)
      }
      const applied = apply(event, passage)
      return applied instanceof Promise ? applied.then(noteTransform) : noteTransform(applied)
    }),
    send: (event, record, passage) => pipeline.send(event, record, passage).then(note),
  }
}
