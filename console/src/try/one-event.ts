import type { ExplanationJson, Flow, PipelineShape, PipelineTraffic } from '../../../src/admin/api.js'
import { OUTCOMES } from '../outcomes.js'
import { NO_FLOW, type OutcomeKind } from '../overview/graph.js'

type Step = ExplanationJson['steps'][number]

const ONE: Flow = { rate: 1, count: 1 }

/** The outcome of a stage as the metrics name it. */
export const STAGE_OUTCOMES = {
  pass: 'passed',
  drop: 'dropped',
  reject: 'rejected',
  limit: 'limited',
  'dead-letter': 'dead-lettered',
  unavailable: 'unavailable',
  handshake: 'handshake',
  'give-up': 'gave-up',
} as const satisfies { readonly [decision in Step['decision']]: string }

/** The traffic of a pipeline if this event had been the only one: its picture is the way of the event. */
export function trafficOfOne(
  { outcome, steps }: Pick<ExplanationJson, 'outcome' | 'steps'>,
  { name, state }: Pick<PipelineShape, 'name' | 'state'>,
): PipelineTraffic {
  const perOutcome = <Value>(of: (kind: OutcomeKind) => Value) =>
    Object.fromEntries(OUTCOMES.map((kind) => [kind, of(kind)])) as { [kind in OutcomeKind]: Value }
  const acknowledged = steps.some(({ stage, decision }) => isAcknowledgement(stage) && decision === 'pass')
  return {
    pipeline: name,
    state,
    outcomes: perOutcome((kind) => (kind === outcome.kind ? ONE : NO_FLOW)),
    latency: null,
    stages: Object.fromEntries(
      steps.map(({ stage, decision }) => [
        stage,
        { outcomes: { [STAGE_OUTCOMES[decision]]: ONE }, latency: null },
      ]),
    ),
    rules: Object.fromEntries(steps.flatMap(({ rule }) => (rule === undefined ? [] : [[rule, ONE]]))),
    deadLetters: [],
    responses: {},
    acknowledgements: {
      attempts: { acknowledged: acknowledged ? ONE : NO_FLOW, retry: NO_FLOW, 'gave-up': NO_FLOW },
      latency: null,
      pending: 0,
      pendingLimit: 0,
      oldestSeconds: 0,
      failed: 0,
    },
    inFlight: 0,
    inFlightLimit: 0,
    points: { outcomes: perOutcome(() => []), p50: [], p99: [], acknowledged: [], pending: [] },
  }
}

export const isAcknowledgement = (stage: string): boolean => stage.startsWith('post-commit.')

/** The outcome whose colour a decision has. */
export const OUTCOME_OF = {
  pass: 'delivered',
  drop: 'dropped',
  reject: 'rejected',
  limit: 'limited',
  'dead-letter': 'dead-lettered',
  unavailable: 'unavailable',
  handshake: 'handshake',
  'give-up': 'unavailable',
} as const satisfies { readonly [decision in Step['decision']]: OutcomeKind }

export const DECISIONS: { readonly [decision in Step['decision']]: string } = {
  pass: 'passes',
  drop: 'drops it',
  reject: 'refuses it',
  limit: 'refuses it for now',
  'dead-letter': 'sends it to the dead-letter topic',
  unavailable: 'fails',
  handshake: 'responds to the handshake',
  'give-up': 'cannot acknowledge it',
}

/** The result of an event in one sentence. */
export function conclusionOf({ outcome, route, records }: ExplanationJson): string {
  const by = route === null ? '' : route === 'otherwise' ? ', as no rule matches' : ` by the rule ${route}`
  const [record] = records
  const to = record === undefined ? '' : ` to ${record.topic}, ${partitionText(record)}`
  switch (outcome.kind) {
    case 'handshake':
      return 'It is a handshake, and brings no event.'
    case 'dead-lettered':
      return `It would be dead-lettered${to}${by}.`
    case 'rejected':
    case 'unavailable':
      return `It would be refused${by}: ${outcome.code}.`
    default:
      return `It would be ${outcome.kind}${to}${by}.`
  }
}

export function partitionText({ partition, key }: ExplanationJson['records'][number]): string {
  if (partition !== null) return `partition ${partition}`
  return key === null ? 'any partition' : 'the partition of its key'
}
