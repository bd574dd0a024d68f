import { AsyncLocalStorage } from 'node:async_hooks'
import { HeadgateError } from '../contract/errors.js'
import type { Committed, Event, Outcome, SinkRecord } from '../contract/index.js'
import type { Decision } from '../pipeline/observe.js'
import type { Step } from './result.js'

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
export function stepOf(stage: string, plugin: string, decision: Decision<unknown>): Step {
  const step = { stage, plugin, decision: decision.kind, details: [] }
  if (!('error' in decision)) return step
  const { code, message, violations, rule } = decision.error
  return { ...step, error: { code, message, violations }, ...(rule !== undefined && { rule }) }
}
