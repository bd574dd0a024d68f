import type { TSchema } from 'typebox'
import { asHeadgateError, type ErrorCode } from '../contract/errors.js'
import type { Definition, Kind, ProbeContext, Probed } from '../contract/index.js'
import { milliseconds } from '../lib/units.js'
import { redactor } from '../process/redact.js'
import type { CheckedPipeline, CheckedStage } from './check.js'
import type { Problem, Warning } from './problem.js'
import type { CheckedConfig } from './read.js'
import { deadLetterTargets, routedTargets } from './routed-targets.js'
import { unrouted } from './unrouted.js'

/** What the outside says of a config: brokers, topics, the sender's API. */
export interface ProbeReport {
  readonly problems: readonly Problem[]
  readonly warnings: readonly Warning[]
  /** What is as it should be, and what could not be looked at, in the order of the file. */
  readonly checked: readonly ProbeLine[]
  readonly unchecked: readonly ProbeLine[]
}

export interface ProbeLine {
  readonly pipeline: string
  readonly plugin: string
  readonly message: string
}

export interface ProbeOptions {
  /** Milliseconds; what has not ended by then is a problem. */
  readonly timeout: number
  /** Aborted when the operator no longer wants to know. */
  readonly signal: AbortSignal
}

/** What a plugin may wait for one answer, so that it can still say which one did not come. */
const ONE_QUESTION = 0.8

/** Asks the plugins of a checked config to look at the outside, all at once. Writes and acknowledges nothing. */
export async function probe(config: CheckedConfig, options: ProbeOptions): Promise<ProbeReport> {
  const redact = redactor(config.secrets)
  const stages = config.pipelines.flatMap((pipeline) =>
    stagesOf(pipeline).flatMap((stage) =>
      stage.definition.probe === undefined ? [] : [{ pipeline, stage, plugin: stage.definition.name }],
    ),
  )
  const asked = stages.map(async ({ pipeline, stage, plugin }) => {
    const found = await probeStage(config, pipeline, stage, options)
    return found.map((one) => ({ ...one, pipeline, plugin }))
  })
  const found = (await Promise.all(asked)).flat()

  const of = <K extends Probed['kind']>(kind: K) =>
    found.filter((one): one is Extract<(typeof found)[number], { kind: K }> => one.kind === kind)
  const placed = ({
    at,
    message,
    suggestion,
  }: Omit<Extract<Probed, { kind: 'warning' }>, 'kind' | 'name'>) => ({
    pointer: at,
    location: config.locationOf(at),
    message: redact(message),
    ...(suggestion !== undefined && { suggestion: redact(suggestion) }),
  })
  const line = ({ pipeline, plugin, message }: ReturnType<typeof of<'checked' | 'unchecked'>>[number]) => ({
    pipeline: pipeline.name,
    plugin,
    message: redact(message),
  })
  const leftOut = of('topics').flatMap(({ pipeline, topics }) => [
    ...unrouted(topics, pipeline, config.pipelines),
  ])
  return {
    problems: of('error').map((one) => ({ ...placed(one), code: one.code })),
    warnings: config.notSilenced([
      ...of('warning').map((one) => ({ ...placed(one), name: one.name })),
      ...leftOut.map(({ pointer, name, ...told }) => ({ ...placed({ at: pointer, ...told }), name })),
    ]),
    checked: of('checked').map(line),
    unchecked: of('unchecked').map(line),
  }
}

const stagesOf = ({ source, transforms, sink, postCommit }: CheckedPipeline) =>
  [source, ...transforms, sink, ...postCommit] as readonly CheckedStage<Kind>[]

async function probeStage(
  config: CheckedConfig,
  pipeline: CheckedPipeline,
  stage: CheckedStage<Kind>,
  { timeout, signal }: ProbeOptions,
): Promise<Probed[]> {
  const { name, source, settings } = pipeline
  const definition = stage.definition as Definition<Kind, TSchema>
  const late = AbortSignal.timeout(timeout)
  const context: ProbeContext = {
    pipeline: name,
    files: config.files,
    at: `${stage.pointer}/config`,
    targets: [...routedTargets(pipeline), ...deadLetterTargets(pipeline)],
    maxBody: source.definition.maxBody?.(source.config),
    redeliveryWindow: milliseconds(settings.redelivery.window),
    timeout: Math.ceil(timeout * ONE_QUESTION),
    signal: AbortSignal.any([late, signal]),
  }
  const found: Probed[] = []
  const failed = (code: ErrorCode, message: string) =>
    found.push({ kind: 'error', at: `${stage.pointer}/plugin`, code, message })
  const asking = (async () => {
    for await (const one of definition.probe?.(structuredClone(stage.config), context) ?? []) {
      if (context.signal.aborted) return
      found.push(one)
    }
  })()
  // Whatever comes of it later is nobody's matter.
  asking.catch(() => {})
  try {
    await Promise.race([asking, aborted(context.signal)])
  } catch (thrown) {
    if (!context.signal.aborted) {
      const { code, message } = asHeadgateError(thrown, definition.name)
      failed(code, message)
    }
  }
  if (late.aborted) {
    failed('HG_PROBE_TIMEOUT', `Not all that "${definition.name}" asked was answered within ${timeout} ms.`)
  } else if (signal.aborted) {
    failed('HG_PROBE_TIMEOUT', `"${definition.name}" was interrupted before all was answered.`)
  }
  return [...found]
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
