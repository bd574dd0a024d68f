import { AsyncLocalStorage } from 'node:async_hooks'
import type { CheckedPipeline } from '../config/check.js'
import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import type {
  Committed,
  Event,
  Explanation,
  Outcome,
  PostCommitRequest,
  SinkRecord,
  Transform,
} from '../contract/index.js'
import type { Apply, Decision, Send } from '../pipeline/observe.js'
import type { Pipeline } from '../pipeline/pipeline.js'
import { redactor } from '../process/redact.js'
import type { DryRunCall, Step } from './result.js'

/** What is seen of one run while it goes on. */
export interface Trace {
  readonly steps: Step[]
  readonly records: { readonly record: SinkRecord; readonly deadLetter: boolean }[]
  /** Made by the source, once it has. */
  event?: Event
  /** The record that is made next is a dead letter. */
  deadLetter: boolean
  committed?: Committed
  outcome?: Outcome
}

const traces = new AsyncLocalStorage<Trace>()

/** Runs `work` with a trace of its own: runs of one pipeline may be under way at the same time. */
export async function traced<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly trace: Trace; readonly result: Result }> {
  const trace: Trace = { steps: [], records: [], deadLetter: false }
  return { trace, result: await traces.run(trace, work) }
}

/** The trace of the run that this is called in. */
export function currentTrace(): Trace {
  const trace = traces.getStore()
  if (trace === undefined)
    throw new HeadgateError('HG_PLUGIN_FAILED', 'A stage did something outside the run of an event.')
  return trace
}

/** A decision as it is shown. */
function stepOf(stage: string, plugin: string, decision: Decision<unknown>): Step {
  const step = { stage, plugin, decision: decision.kind, details: [] }
  if (!('error' in decision)) return step
  const { code, message, violations, rule } = decision.error
  return { ...step, error: { code, message, violations }, ...(rule !== undefined && { rule }) }
}

/** What the post-commit stages would do about an event; nothing where it is not durable. */
export function callsOf(
  { stages }: Pipeline,
  { postCommit }: CheckedPipeline,
  references: ReadonlyMap<string, string>,
  committed: Committed | undefined,
): { readonly calls: readonly DryRunCall[]; readonly steps: readonly Step[] } {
  const calls: DryRunCall[] = []
  const steps: Step[] = []
  if (committed === undefined) return { calls, steps }
  const redact = redactor(withUrlForms(references))
  for (const [index, { stage: built }] of stages.postCommit.entries()) {
    const plugin = postCommit[index]?.definition.name ?? ''
    const stage = `post-commit.${index}.${plugin}`
    try {
      const request = built.instance.request?.(committed)
      if (request !== undefined) calls.push({ stage, ...redacted(request, redact) })
      steps.push({ stage, plugin, decision: 'pass', details: [] })
    } catch (thrown) {
      const { code, message, violations } = asHeadgateError(thrown, plugin)
      steps.push({ stage, plugin, decision: 'give-up', error: { code, message, violations }, details: [] })
    }
  }
  return { calls, steps }
}

const redacted = (
  { method, url, headers, body }: PostCommitRequest,
  redact: (text: string) => string,
): PostCommitRequest => ({
  method,
  url: redact(url),
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, redact(value)])),
  body: redact(body),
})

/** URLs are also found as URL parsers write them: the host in lower case, without a default port. */
const withUrlForms = (secrets: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map([
    ...[...secrets].flatMap(([value, shown]): [string, string][] =>
      URL.canParse(value) ? [[new URL(value).href.replace(/\/$/, ''), shown]] : [],
    ),
    ...secrets,
  ])

/** The same pipeline, whose wrapped stages note what they decide. */
export function watch(pipeline: Pipeline, checked: CheckedPipeline): Pipeline {
  const { source, transforms, sink } = checked
  const { deadLetters, stages } = pipeline
  const sinkPlugin = sink.definition.name
  const watchSend =
    (stage: string, deadLetter: boolean, send: Send): Send =>
    async (event, record) => {
      const trace = currentTrace()
      trace.deadLetter = deadLetter
      const decision = await send(event, record)
      trace.steps.push(stepOf(stage, sinkPlugin, decision))
      return decision
    }
  const watchApply = (apply: Apply, index: number): Apply => {
    const plugin = transforms[index]?.definition.name ?? ''
    const stage = `transform.${index}.${plugin}`
    return async (event) => {
      const decision = await apply(event)
      const { rule, details } = await explanationOf(stages.transforms[index]?.instance, event)
      const step = stepOf(stage, plugin, decision)
      currentTrace().steps.push({ ...step, ...(rule !== undefined && { rule }), details })
      return decision
    }
  }
  return {
    ...pipeline,
    receive(receive) {
      const received = pipeline.receive(receive)
      const { name } = source.definition
      const trace = currentTrace()
      trace.steps.push(stepOf(`source.${name}`, name, received))
      if (received.kind === 'pass') trace.event = received.given
      return received
    },
    transforms: pipeline.transforms.map(watchApply),
    send: watchSend(`sink.${sinkPlugin}`, false, pipeline.send),
    deadLetters: deadLetters && {
      ...deadLetters,
      send: watchSend('dead-letter', true, deadLetters.send),
    },
  }
}

/** That a plugin cannot explain itself changes nothing about what it decided. */
async function explanationOf(transform: Transform | undefined, event: Event): Promise<Explanation> {
  try {
    return (await transform?.explain?.(event)) ?? { details: [] }
  } catch (thrown) {
    const { message } = asHeadgateError(thrown, 'Explaining')
    return { details: [{ name: 'explanation', result: message, looked: [] }] }
  }
}
