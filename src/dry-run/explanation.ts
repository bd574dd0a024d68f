import { isUtf8 } from 'node:buffer'
import type { Unresolved } from '../config/placeholders.js'
import type { CheckedConfig } from '../config/read.js'
import type { ErrorCode } from '../contract/errors.js'
import type { HttpResponse, Outcome, Receipt } from '../contract/index.js'
import type { DryRun, DryRunCall, DryRunRecord, DryRunRequest, DryRunResult, Step } from './dry-run.js'

/** The dry run of an event. */
export interface Explanation {
  readonly config: CheckedConfig
  readonly result: DryRunResult
  /** Why the sender was not verified; absent if it was. */
  readonly unverified?: string
}

/** An event to explain. */
export interface ExplainRequest extends Omit<DryRunRequest, 'headers'> {
  readonly pipeline: string
  /** By lower-case name; empty if only the body is known. */
  readonly headers: ReadonlyMap<string, string>
  /** Headers that were kept with the event, which need not prove the sender. Others win over them. */
  readonly keptHeaders?: { readonly [name: string]: string } | undefined
  /** Why the sender should not be verified. */
  readonly skip?: string | undefined
  /** Of an event that the source has accepted: only the stages after it are run. */
  readonly id?: string
}

const CONTENT_TYPE = 'content-type'

/** Runs an event through the stages of a config. Without headers other than Content-Type, the sender cannot be verified. */
export async function explain(
  config: CheckedConfig,
  dryRun: DryRun,
  { pipeline, headers, keptHeaders, skip, id, ...request }: ExplainRequest,
): Promise<Explanation> {
  const unverified =
    skip ??
    whyUnverified(
      config,
      pipeline,
      [...headers.keys()].some((name) => name !== CONTENT_TYPE),
    )
  const result = await dryRun.run(
    pipeline,
    {
      ...request,
      headers: { [CONTENT_TYPE]: 'application/json', ...keptHeaders, ...Object.fromEntries(headers) },
    },
    { skipVerification: unverified !== undefined, ...(id !== undefined && { id }) },
  )
  return { config, result, ...(unverified !== undefined && { unverified }) }
}

function whyUnverified(
  { placeholders }: CheckedConfig,
  pipeline: string,
  proves: boolean,
): string | undefined {
  if (!proves) return 'no header was given'
  const missing = placeholders.find(({ pointer }) => pointer.startsWith(`/pipelines/${pipeline}/source/`))
  return missing === undefined ? undefined : `${missing.reference} has no value here`
}

/** An explanation as JSON: the output of `headgate explain --json`, and the response of the admin API. */
export interface ExplanationJson extends EventJson {
  readonly pipeline: string
  readonly revision: string
  readonly verification:
    | { readonly kind: 'given' }
    | { readonly kind: 'skipped'; readonly why: string | undefined }
  readonly unresolved: readonly Unresolved[]
  readonly response: HttpResponse
  /** Of a request with several events: each of them. The rest is that of the first that is refused, or of the first. */
  readonly items?: readonly EventJson[]
}

interface EventJson {
  readonly outcome: {
    readonly kind: Outcome['kind']
    readonly id?: string | undefined
    readonly receipt?: Receipt
    readonly code?: ErrorCode
    readonly message?: string
  }
  readonly route: string | null
  readonly steps: readonly Step[]
  readonly records: readonly RecordJson[]
  readonly acknowledge: readonly DryRunCall[]
}

interface RecordJson extends Omit<DryRunRecord, 'partition' | 'value'> {
  /** Null if the cluster chooses it. */
  readonly partition: number | null
  readonly value: string
  readonly valueEncoding: 'utf-8' | 'base64'
}

export function explanationJson({ config, result, unverified }: Explanation): ExplanationJson {
  const { pipeline, response, items } = result
  return {
    pipeline,
    revision: config.revision,
    verification: unverified === undefined ? { kind: 'given' } : { kind: 'skipped', why: unverified },
    unresolved: config.placeholders,
    ...eventJson(result),
    response,
    ...(items !== undefined && { items: items.map(eventJson) }),
  }
}

function eventJson({ outcome, route, steps, records, calls }: DryRunResult): EventJson {
  const { error, ...ending } = 'error' in outcome ? outcome : { ...outcome, error: undefined }
  return {
    outcome: error === undefined ? ending : { ...ending, code: error.code, message: error.message },
    route: route ?? null,
    steps,
    records: records.map(({ partition, value, ...record }) => {
      const valueEncoding = isUtf8(value) ? 'utf-8' : 'base64'
      return { ...record, partition: partition ?? null, value: value.toString(valueEncoding), valueEncoding }
    }),
    acknowledge: calls,
  }
}
