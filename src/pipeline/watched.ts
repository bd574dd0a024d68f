import type { HeadgateError } from '../contract/errors.js'
import type { Correlation, Event, Outcome } from '../contract/index.js'
import { noLedger } from '../ledger/ledger.js'
import type { CompletedEvent } from '../tap/lines.js'
import type { Handed } from './handed.js'
import type { Decision } from './observe.js'
import type { Passage } from './passage.js'
import { run, runBack } from './path.js'
import type { Pipeline } from './pipeline.js'

/** Whoever is told of the events that pass. */
export interface Tap {
  /** Called when the event has its outcome. Never throws. */
  offer(passed: CompletedEvent): void
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
  const seen: Seen = { event: undefined, rule: undefined, error: undefined, askRule: undefined }
  const startedAt = performance.now()
  return told(run(watch(pipeline, seen), receive, request), pipeline, seen, startedAt, taps)
}

/** The same for an event that a worker has handed over. */
export function runBackWatched(
  pipeline: Pipeline,
  handed: Handed,
  passage: Passage,
  taps: ReadonlySet<Tap>,
): Promise<Outcome> {
  const seen: Seen = { event: undefined, rule: undefined, error: undefined, askRule: undefined }
  const watching = handed.kind === 'refused' ? pipeline : watchBack(pipeline, handed, passage.stage, seen)
  return told(runBack(watching, handed, passage), pipeline, seen, passage.startedAt, taps)
}

function told(
  ended: Promise<Outcome>,
  pipeline: Pipeline,
  seen: Seen,
  startedAt: number,
  taps: ReadonlySet<Tap>,
): Promise<Outcome> {
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
  event: CompletedEvent['event']
  rule: CompletedEvent['rule']
  error: HeadgateError | undefined
  askRule: CompletedEvent['askRule']
}

/** The same pipeline, which notes what a worker has decided on this event where that counts: not for one that is known. */
function watchBack(
  pipeline: Pipeline,
  { received, decision }: Extract<Handed, { kind: 'decided' }>,
  stage: string | undefined,
  seen: Seen,
): Pipeline {
  const index = pipeline.stages.transforms.findIndex(({ name }) => name === stage)
  const { ledger } = pipeline
  seen.event = received
  const noteDecision = (): void => {
    if (decision.kind === 'pass') seen.rule = decision.given.route?.name
    if (decision.kind === 'drop') seen.askRule = () => ruleOf(pipeline, index, received)
    if ('error' in decision) seen.error = decision.error
  }
  const once: typeof ledger.once = (event, deliver, digest) => {
    const deliverNoted = (its: string) => {
      noteDecision()
      return deliver(its)
    }
    return ledger.once(event, deliverNoted, digest)
  }
  return { ...watch(pipeline, seen), ledger: { ...noLedger, once } }
}

const ruleOf = async ({ stages }: Pipeline, index: number, event: Event): Promise<string | undefined> =>
  (await stages.transforms[index]?.instance.explain?.(event))?.rule

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
        if (decision.kind === 'pass') seen.rule = decision.given.route?.name
        if (decision.kind === 'drop') seen.askRule = () => ruleOf(pipeline, index, event)
        return note(decision)
      }
      const applied = apply(event, passage)
      return applied instanceof Promise ? applied.then(noteTransform) : noteTransform(applied)
    }),
    send: (event, record, passage) => pipeline.send(event, record, passage).then(note),
  }
}
