import { type CheckedPipeline, deadLetterTargets, routedTargets, ruleNames } from '../config/check.js'
import type { CheckedConfig } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type { Explained, HttpHandler, HttpRequest, HttpResponse, Outcome } from '../contract/index.js'
import { preflight } from '../http/exchange.js'
import { ReceivedRequest } from '../http/request.js'
import { HEADER } from '../ledger/record-headers.js'
import { parseBody } from '../lib/json/body.js'
import { ProcessMetrics } from '../metrics/registry.js'
import { redactor } from '../process/redact.js'
import { knownPartition, type RehearsalPipeline, rehearsalPipeline } from './pipeline.js'
import type { Rehearsed, RehearsedRequest, Step } from './result.js'
import { callsOf, type Trace, traced } from './trace.js'

export type {
  Rehearsed,
  RehearsedCall,
  RehearsedRecord,
  RehearsedRequest,
  Step,
} from './result.js'

interface RehearsalOptions {
  /** How many partitions topics have: with it, the partition of a record that the hash of its key decides is known. */
  readonly partitions?: { readonly [topic: string]: number }
}

export interface Rehearsal {
  /** Names of the pipelines. */
  readonly pipelines: readonly string[]
  /**
   * Runs one event through a pipeline. Each run stands for itself: nothing is a redelivery of what was run before.
   * `skipVerification`: the sender need not prove who it is. `id`: the event came before, with this id; the source is not
   * asked, and of the request only the body counts.
   */
  run(
    pipeline: string,
    request: RehearsedRequest,
    options?: { readonly skipVerification?: boolean; readonly id?: string },
  ): Promise<Rehearsed>
  /** The names of every rule of a pipeline in their order, `otherwise` included: what `route` of a run can be. */
  rules(pipeline: string): readonly string[]
  /** The topics that a pipeline can write to, the one for dead letters included. */
  topics(pipeline: string): readonly string[]
}

/** Nothing is opened, sent or written: the stages are those of production, what they would be connected to is not. */
export function rehearse(config: CheckedConfig, { partitions = {} }: RehearsalOptions = {}): Rehearsal {
  const metrics = new ProcessMetrics()
  const redact = redactor(config.secrets)
  /** What a stage says it looked for stands in the config, and may have come from a reference. */
  const withoutValues = (step: Step): Step => ({
    ...step,
    details: step.details.map(({ looked, ...detail }) => ({
      ...detail,
      looked: looked.map(({ at, found }) => ({ at: redact(at), found })),
    })),
  })
  const built = new Map<string, RehearsalPipeline>()
  const checkedPipeline = (name: string): CheckedPipeline => {
    const checked = config.pipelines.find((pipeline) => pipeline.name === name)
    if (checked === undefined) throw new HeadgateError('HG_CONFIG_VALUE', `There is no pipeline "${name}".`)
    return checked
  }
  const pipelineOf = (checked: CheckedPipeline, skipVerification: boolean): RehearsalPipeline => {
    const key = `${checked.name} ${skipVerification}`
    const known = built.get(key)
    if (known !== undefined) return known
    const asked = skipVerification ? withoutVerification(checked) : checked
    const pipeline = rehearsalPipeline(config, asked, metrics, partitions)
    built.set(key, pipeline)
    return pipeline
  }

  return {
    pipelines: config.pipelines.map(({ name }) => name),
    rules: (name) => ruleNames(checkedPipeline(name)),
    topics(name) {
      const checked = checkedPipeline(name)
      const targets = [...routedTargets(checked), ...deadLetterTargets(checked)]
      return [...new Set(targets.map(({ target }) => target.topic))]
    },
    async run(name, given, { skipVerification = false, id } = {}) {
      const checked = checkedPipeline(name)
      const rehearsed = pipelineOf(checked, skipVerification)
      const { pipeline } = rehearsed
      const { trace, answer, looked } =
        id === undefined ? await receive(rehearsed, given) : await takeAgain(rehearsed, id, given)
      const skipped =
        skipVerification && id === undefined && checked.source.definition.unverified !== undefined
      const steps = explainSource(trace.steps, skipped ? [SKIPPED, ...looked] : looked)
      const { calls, steps: callSteps } = callsOf(pipeline, checked, config.references, trace.committed)
      return {
        pipeline: name,
        answer,
        outcome: trace.outcome ?? refusedEarly(answer),
        steps: [...steps.map(withoutValues), ...callSteps],
        records: trace.records.map(({ record, deadLetter }) => ({
          topic: record.target.topic,
          partition: knownPartition(record, partitions),
          key: record.key === null ? null : record.key.toString(),
          // A proof that is shown could be copied, and its key need not be the one that a running process has.
          headers: record.headers.filter(({ name }) => name !== HEADER.mac),
          value: record.value,
          deadLetter,
        })),
        calls,
        route: routeOf(trace),
      }
    },
  }
}

function withoutVerification(checked: CheckedPipeline): CheckedPipeline {
  const { definition, config } = checked.source
  return definition.unverified === undefined
    ? checked
    : { ...checked, source: { ...checked.source, config: definition.unverified(config) } }
}

interface Received {
  readonly trace: Trace
  readonly answer: HttpResponse
  readonly looked: readonly Explained[]
}

/** A request comes in. */
async function receive({ pipeline, handler }: RehearsalPipeline, given: RehearsedRequest): Promise<Received> {
  const handling = await handler()
  const request = asReceived(given, handling)
  const { trace, result: answer } = await traced(() => exchange(handling, request))
  const looked = trace.event === undefined ? [] : (pipeline.stages.source.instance.explain?.(request) ?? [])
  return { trace, answer, looked }
}

/** The source has seen these bytes; how deep it lets them be is a setting of its own, of which this is the largest. */
const MAX_DEPTH = 1000

/** An event that the source took once goes its way again. */
async function takeAgain(
  { pipeline, intake }: RehearsalPipeline,
  id: string,
  { body, receivedAt = Date.now() }: RehearsedRequest,
): Promise<Received> {
  const { trace, result: answer } = await traced(async () =>
    pipeline.stages.source.instance.respond(
      await intake(() => ({ id, body: parseBody(body, MAX_DEPTH), receivedAt })),
    ),
  )
  return { trace, answer, looked: [] }
}

/** As the listener hands a request on. */
function asReceived(given: RehearsedRequest, { methods }: HttpHandler): HttpRequest {
  const { method = methods[0] ?? 'POST', headers, body, receivedAt = Date.now() } = given
  const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
  return Object.assign(new ReceivedRequest(method, Object.fromEntries(lowerCase)), { body, receivedAt })
}

/** What the listener asks the source, in its order. */
async function exchange(handler: HttpHandler, request: HttpRequest): Promise<HttpResponse> {
  const refusal = preflight(request, handler)
  if (refusal !== undefined) return refusal()
  return request.body.length > handler.maxBodyBytes ? handler.tooLarge(request) : handler.handle(request)
}

const SKIPPED: Explained = { name: 'verification', result: 'skipped', looked: [] }

const explainSource = ([source, ...others]: readonly Step[], details: readonly Explained[]): Step[] =>
  source === undefined ? [] : [{ ...source, details }, ...others]

/** A request whose method alone is wrong never gets to the pipeline. */
const refusedEarly = ({ status }: HttpResponse): Outcome => ({
  kind: 'rejected',
  id: undefined,
  error: new HeadgateError('HG_INTAKE_METHOD', `The listener answers ${status} before the source is asked.`),
})

const routeOf = ({ steps }: Trace): string | undefined =>
  steps.findLast(({ rule }) => rule !== undefined)?.rule
