import { AsyncLocalStorage } from 'node:async_hooks'
import type { CheckedPipeline } from '../config/checked-pipeline.js'
import { asHeadgateError, HeadgateError } from '../contract/errors.js'
import type { Committed, Event, Outcome, PostCommitRequest, SinkRecord } from '../contract/index.js'
import type { DecidingPipeline } from '../pipeline/pipeline.js'
import { redactor } from '../process/redact.js'
import type { DryRunCall, Step } from './result.js'

/** The observations of one event of a run. */
export interface TracedEvent {
  readonly steps: readonly Step[]
  readonly records: readonly { readonly record: SinkRecord; readonly deadLetter: boolean }[]
  /** Undefined if the request did not become an event. */
  readonly event: Event | undefined
  readonly committed?: Committed
  readonly outcome: Outcome
}

const traces = new AsyncLocalStorage<Promise<TracedEvent>[]>()

/** Runs `work` with its own trace, because a pipeline can have several runs at the same time. */
export async function traced<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly events: readonly TracedEvent[]; readonly result: Result }> {
  const trace: Promise<TracedEvent>[] = []
  const result = await traces.run(trace, work)
  return { events: await Promise.all(trace), result }
}

/** The trace of the current run: the events of its request, in their order. */
export function currentTrace(): Promise<TracedEvent>[] {
  const trace = traces.getStore()
  if (trace === undefined)
    throw new HeadgateError('HG_PLUGIN_FAILED', 'A stage was called outside the run of an event.')
  return trace
}

/** The requests of the post-commit stages for an event; none if it is not durable. */
export function callsOf(
  { stages }: DecidingPipeline,
  { postCommit }: CheckedPipeline,
  references: ReadonlyMap<string, string>,
  committed: Committed | undefined,
): { readonly calls: readonly DryRunCall[]; readonly steps: readonly Step[] } {
  const calls: DryRunCall[] = []
  const steps: Step[] = []
  if (committed === undefined) return { calls, steps }
  const redact = redactor(withUrlForms(references))
  for (const [index, built] of stages.postCommit.entries()) {
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

/** Also the normalized form of URLs (host in lower case, no default port), because plugins parse URLs. */
const withUrlForms = (secrets: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map([
    ...[...secrets].flatMap(([value, shown]): [string, string][] =>
      URL.canParse(value) ? [[new URL(value).href.replace(/\/$/, ''), shown]] : [],
    ),
    ...secrets,
  ])
