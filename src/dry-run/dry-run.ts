import {
  type CheckedPipeline,
  deadLetterTargets,
  routedTargets,
  ruleNames,
} from '../config/checked-pipeline.js'
import type { CheckedConfig } from '../config/read.js'
import { readsOf } from '../config/request-reads.js'
import { HeadgateError } from '../contract/errors.js'
import type { Explained, HttpHandler, HttpRequest, HttpResponse, Outcome } from '../contract/index.js'
import { preflight } from '../http/exchange.js'
import { ReceivedRequest } from '../http/request.js'
import { HEADER } from '../ledger/record-headers.js'
import { acceptedBody } from '../lib/body/decode.js'
import { ProcessMetrics } from '../metrics/registry.js'
import { redactor } from '../process/redact.js'
import { type DryRunPipeline, dryRunPipeline, knownPartition, type PartitionCounts } from './pipeline.js'
import type { DryRunRecord, DryRunRequest, DryRunResult, Step } from './result.js'
import { callsOf, type TracedEvent, traced } from './trace.js'

export type {
  DryRunCall,
  DryRunRecord,
  DryRunRequest,
  DryRunResult,
  Step,
} from './result.js'

interface DryRunOptions {
  /** Partition counts of topics, from which the partition of a record with a key is computed. */
  readonly partitions?: PartitionCounts
}

interface RunOptions {
  /** The sender need not prove its identity. */
  readonly skipVerification?: boolean
  /** Id of an event that the source accepted before: the source is skipped. */
  readonly id?: string
  /** With `id`: the media type by which its body is decoded, if it is not JSON. */
  readonly contentType?: string | undefined
}

/**
 * Runs events through the stages of production. Nothing is opened, sent or written: the stages are real, their connections
 * are not.
 */
export class DryRun {
  readonly #config: CheckedConfig
  readonly #partitions: PartitionCounts
  readonly #metrics = new ProcessMetrics()
  readonly #redact: (text: string) => string
  /** By the name of the pipeline and whether verification is skipped. */
  readonly #built = new Map<string, DryRunPipeline>()

  constructor(config: CheckedConfig, { partitions = {} }: DryRunOptions = {}) {
    this.#config = config
    this.#partitions = partitions
    this.#redact = redactor(config.secrets)
  }

  /** Names of the pipelines. */
  get pipelines(): readonly string[] {
    return this.#config.pipelines.map(({ name }) => name)
  }

  /** The names of the rules of a pipeline in order, and `otherwise`: the possible values of `route` in a result. */
  rules(pipeline: string): readonly string[] {
    return ruleNames(this.#checked(pipeline))
  }

  /** The topics that a pipeline can write to, its dead-letter topic included. */
  topics(pipeline: string): readonly string[] {
    const checked = this.#checked(pipeline)
    const targets = [...routedTargets(checked), ...deadLetterTargets(checked)]
    return [...new Set(targets.map(({ target }) => target.topic))]
  }

  /** Whether a pipeline reads parts of requests besides the body. */
  readsRequests(pipeline: string): boolean {
    return readsOf(this.#checked(pipeline)).length > 0
  }

  /** The request that brings an event alone, of the bytes that its record has. */
  requestOf(pipeline: string, event: string): Pick<DryRunRequest, 'headers'> & { readonly body: string } {
    const { definition, config } = this.#checked(pipeline).source
    return definition.requestOf?.(config, event) ?? { headers: {}, body: event }
  }

  /** Runs one event through a pipeline. Runs are independent: no event is a redelivery of one that was run before. */
  async run(
    name: string,
    request: DryRunRequest,
    { skipVerification = false, id, contentType }: RunOptions = {},
  ): Promise<DryRunResult> {
    const checked = this.#checked(name)
    const built = this.#pipeline(checked, skipVerification)
    const { events, response, looked } =
      id === undefined
        ? await receive(built, request)
        : await receiveAgain(built, checked.source.definition.requests === true, { id, contentType }, request)
    const skipped = skipVerification && id === undefined && checked.source.definition.unverified !== undefined
    const details = skipped ? [SKIPPED, ...looked] : looked
    const results = events.map((event) => this.#resultOf(checked, built, event, response, details))
    const [only, ...others] = results
    if (only === undefined) return this.#withoutEvent(name, response)
    if (others.length === 0) return only
    return { ...(results.find(({ outcome }) => 'error' in outcome) ?? only), items: results }
  }

  #resultOf(
    checked: CheckedPipeline,
    { pipeline }: DryRunPipeline,
    event: TracedEvent,
    response: HttpResponse,
    details: readonly Explained[],
  ): DryRunResult {
    const { outcome, records, committed } = event
    const steps = explainSource(event.steps, details)
    const { calls, steps: callSteps } = callsOf(pipeline, checked, this.#config.references, committed)
    return {
      pipeline: checked.name,
      response: responseOf(response),
      outcome,
      steps: [...steps.map((step) => this.#withoutValues(step)), ...callSteps],
      records: records.map((record) => recordOf(record, this.#partitions)),
      calls,
      route: event.steps.findLast(({ rule }) => rule !== undefined)?.rule,
    }
  }

  /** Such a request has no event: the listener refuses its method, or it is an empty batch. */
  #withoutEvent(pipeline: string, response: HttpResponse): DryRunResult {
    const none = { pipeline, steps: [], records: [], calls: [], route: undefined }
    return { ...none, response: responseOf(response), outcome: refusedEarly(response) }
  }

  #checked(name: string): CheckedPipeline {
    const checked = this.#config.pipelines.find((pipeline) => pipeline.name === name)
    if (checked === undefined) throw new HeadgateError('HG_CONFIG_VALUE', `There is no pipeline "${name}".`)
    return checked
  }

  #pipeline(checked: CheckedPipeline, skipVerification: boolean): DryRunPipeline {
    const key = `${checked.name} ${skipVerification}`
    const existing = this.#built.get(key)
    if (existing !== undefined) return existing
    const { definition } = checked.source
    const detached = withSource(checked, definition.detached)
    const effective = skipVerification ? withSource(detached, definition.unverified) : detached
    const pipeline = dryRunPipeline(this.#config, effective, this.#metrics, this.#partitions)
    this.#built.set(key, pipeline)
    return pipeline
  }

  /** A stage names the expressions that it evaluated: they are from the config, and may contain resolved references. */
  #withoutValues(step: Step): Step {
    return {
      ...step,
      details: step.details.map(({ looked, ...detail }) => ({
        ...detail,
        looked: looked.map(({ at, found }) => ({ at: this.#redact(at), found })),
      })),
    }
  }
}

/** As it is sent: the error is in the outcome. */
const responseOf = ({ status, headers, body }: HttpResponse): HttpResponse => ({ status, headers, body })

const recordOf = (
  { record, deadLetter }: TracedEvent['records'][number],
  partitions: PartitionCounts,
): DryRunRecord => ({
  topic: record.target.topic,
  partition: knownPartition(record, partitions),
  key: record.key === null ? null : record.key.toString(),
  // A MAC that is shown could be copied, and its key may differ from that of the running process.
  headers: record.headers.filter(({ name }) => name !== HEADER.mac),
  value: record.value,
  deadLetter,
})

function withSource(
  checked: CheckedPipeline,
  change: ((config: unknown) => unknown) | undefined,
): CheckedPipeline {
  const { source } = checked
  return change === undefined ? checked : { ...checked, source: { ...source, config: change(source.config) } }
}

interface Received {
  readonly events: readonly TracedEvent[]
  readonly response: HttpResponse
  readonly looked: readonly Explained[]
}

async function receive({ pipeline, served }: DryRunPipeline, dryRequest: DryRunRequest): Promise<Received> {
  const { path, handler } = await served()
  const request = asReceived(dryRequest, path, handler)
  const { events, result: response } = await traced(() => exchange(handler, request))
  const isEvent = events.some(({ event }) => event !== undefined)
  const looked = isEvent ? (pipeline.stages.source.instance.explain?.(request) ?? []) : []
  return { events, response, looked }
}

/** Runs an event that the source accepted before, without the source. */
async function receiveAgain(
  { pipeline, intake, served }: DryRunPipeline,
  hasRequests: boolean,
  { id, contentType }: Pick<RunOptions, 'contentType'> & { readonly id: string },
  dryRequest: DryRunRequest,
): Promise<Received> {
  const { body, receivedAt = Date.now() } = dryRequest
  const { events, result: response } = await traced(async () => {
    const { path, handler } = hasRequests ? await served() : { path: '/', handler: { methods: [] } }
    const request = asReceived(dryRequest, path, handler)
    const event = () => ({ id, body: acceptedBody(body, contentType), receivedAt })
    return pipeline.stages.source.instance.respond(await intake(event, request))
  })
  return { events, response, looked: [] }
}

/** The request as the listener passes it to the source. */
function asReceived(
  request: DryRunRequest,
  servedPath: string,
  { methods }: Pick<HttpHandler, 'methods'>,
): HttpRequest {
  const { method = methods[0] ?? 'POST', path = servedPath, query } = request
  const { headers, body, receivedAt = Date.now() } = request
  const url = query === undefined ? path : `${path}?${query}`
  const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
  return Object.assign(new ReceivedRequest(method, Object.fromEntries(lowerCase), url), { body, receivedAt })
}

/** Calls the source as the listener does, in the same order. */
async function exchange(handler: HttpHandler, request: HttpRequest): Promise<HttpResponse> {
  const refusal = preflight(request, handler)
  if (refusal !== undefined) return refusal()
  return request.body.length > handler.maxBodyBytes ? handler.tooLarge(request) : handler.handle(request)
}

const SKIPPED: Explained = { name: 'verification', result: 'skipped', looked: [] }

const explainSource = ([source, ...others]: readonly Step[], details: readonly Explained[]): Step[] =>
  source === undefined ? [] : [{ ...source, details }, ...others]

/** A request with a wrong method never reaches the pipeline; a batch without items succeeds. */
const refusedEarly = ({ status }: HttpResponse): Outcome =>
  status < 300
    ? { kind: 'dropped', id: '' }
    : {
        kind: 'rejected',
        id: undefined,
        error: new HeadgateError(
          'HG_INTAKE_METHOD',
          `The listener responds with ${status} before the source gets the request.`,
        ),
      }
