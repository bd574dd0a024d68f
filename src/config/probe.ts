import type { TSchema } from 'typebox'
import { asHeadgateError, type ErrorCode } from '../contract/errors.js'
import type { Definition, Kind, ProbeContext, Probed, SinkTopic } from '../contract/index.js'
import { child } from '../lib/json/pointer.js'
import { milliseconds } from '../lib/units.js'
import { redactor } from '../process/redact.js'
import {
  type CheckedPipeline,
  type CheckedStage,
  deadLetterTargets,
  inboxTargets,
  type RoutedTarget,
  routedTargets,
  stagesOf,
} from './checked-pipeline.js'
import type { Unplaced } from './lint-names.js'
import type { Problem, Warning } from './problem.js'
import type { CheckedConfig } from './read.js'

/** The results of checking a config against brokers, topics and the API of the sender. */
export interface ProbeReport {
  readonly problems: readonly Problem[]
  readonly warnings: readonly Warning[]
  /** `checked` was found to be right; `unchecked` could not be checked. In the order of the file. */
  readonly checked: readonly ProbeLine[]
  readonly unchecked: readonly ProbeLine[]
}

export interface ProbeLine {
  readonly pipeline: string
  readonly plugin: string
  readonly message: string
}

export interface ProbeOptions {
  /** Milliseconds; a check that has not finished by then is a problem. */
  readonly timeout: number
  /** As HEADGATE_WORKERS says. */
  readonly workers: number
  /** Aborted when the operator cancels the check. */
  readonly signal: AbortSignal
}

/** The share of the timeout for one request of a plugin, so that it has time to report which request got no response. */
const REQUEST_SHARE = 0.8

/** Runs the probes of all plugins of a checked config at once. Writes and acknowledges nothing. */
export async function probe(config: CheckedConfig, options: ProbeOptions): Promise<ProbeReport> {
  const redact = redactor(config.secrets)
  const stages = config.pipelines.flatMap((pipeline) =>
    stagesOf(pipeline).flatMap((stage) =>
      stage.definition.probe === undefined ? [] : [{ pipeline, stage, plugin: stage.definition.name }],
    ),
  )
  const probes = stages.map(async ({ pipeline, stage, plugin }) => {
    const found = await probeStage(config, pipeline, stage, options)
    return found.map((one) => ({ ...one, pipeline, plugin }))
  })
  const found = (await Promise.all(probes)).flat()

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
  const missingRules = of('topics').flatMap(({ pipeline, topics }) => [
    ...unrouted(topics, pipeline, config.pipelines),
  ])
  return {
    problems: of('error').map((one) => ({ ...placed(one), code: one.code })),
    warnings: config.notSilenced([
      ...of('warning').map((one) => ({ ...placed(one), name: one.name })),
      ...missingRules.map(({ pointer, name, ...rest }) => ({ ...placed({ at: pointer, ...rest }), name })),
    ]),
    checked: of('checked').map(line),
    unchecked: of('unchecked').map(line),
  }
}

async function probeStage(
  config: CheckedConfig,
  pipeline: CheckedPipeline,
  stage: CheckedStage<Kind>,
  { timeout, workers, signal }: ProbeOptions,
): Promise<Probed[]> {
  const { name, source, settings } = pipeline
  const definition = stage.definition as Definition<Kind, TSchema>
  const late = AbortSignal.timeout(timeout)
  const context: ProbeContext = {
    pipeline: name,
    files: config.files,
    at: `${stage.pointer}/config`,
    targets: [...inboxTargets(pipeline), ...routedTargets(pipeline), ...deadLetterTargets(pipeline)],
    sources: sourcesOf(pipeline),
    ...inboxOf(pipeline),
    isShared: settings.inbox !== undefined || source.definition.topics !== undefined,
    workers,
    maxBody: source.definition.maxBody?.(source.config),
    redeliveryWindow: milliseconds(settings.redelivery.window),
    timeout: Math.ceil(timeout * REQUEST_SHARE),
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
  // Nothing waits for it after the timeout: a later failure must not become an unhandled rejection.
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
    failed('HG_PROBE_TIMEOUT', `The checks of "${definition.name}" did not finish within ${timeout} ms.`)
  } else if (signal.aborted) {
    failed('HG_PROBE_TIMEOUT', `The checks of "${definition.name}" were interrupted before they finished.`)
  }
  return [...found]
}

const sourcesOf = ({ source }: CheckedPipeline): ProbeContext['sources'] =>
  (source.definition.topics?.(source.config) ?? []).map(({ at, topic }) => ({
    at: `${source.pointer}/config${at}`,
    topic,
  }))

/** The first target is the inbox. */
function inboxOf(pipeline: CheckedPipeline): Pick<ProbeContext, 'inbox'> {
  const [inbox] = inboxTargets(pipeline)
  return inbox === undefined ? {} : { inbox: { at: inbox.at, topic: inbox.target.topic } }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** Topics and partitions that the sink of `pipeline` has, and that no rule of any pipeline uses although one probably should. */
export function* unrouted(
  topics: readonly SinkTopic[],
  pipeline: CheckedPipeline,
  pipelines: readonly CheckedPipeline[],
): Generator<Unplaced> {
  const own = routedTargets(pipeline)
  const all = pipelines.flatMap((each) => [
    ...inboxTargets(each),
    ...routedTargets(each),
    ...deadLetterTargets(each),
  ])
  yield* unroutedTopics(topics, own, all)
  yield* unroutedPartitions(topics, own, all)
}

/** A name up to its last part: topics that share it count as one family. */
const FAMILY = /^.*[._-](?=[^._-]+$)/
/** Topics of Kafka itself, and topics that consumers and Kafka Streams create for the topics that they read. */
const EXCLUDED = /^_|[._-](?:dlq|dlt|dead-?letters?|retry|retries|changelog|repartition)$/i

/** Two topics are a family, one is not: many unrelated names can begin like its name. */
function* unroutedTopics(
  topics: readonly SinkTopic[],
  own: readonly RoutedTarget[],
  all: readonly RoutedTarget[],
): Generator<Unplaced> {
  const used = new Set(all.map(({ target }) => target.topic))
  const routed = new Map(own.map(({ target }) => [target.topic, FAMILY.exec(target.topic)?.[0]]))
  for (const family of new Set(routed.values())) {
    const members = [...routed.keys()].filter((topic) => routed.get(topic) === family)
    const left = topics
      .map(({ name }) => name)
      .filter((name) => FAMILY.exec(name)?.[0] === family && !used.has(name) && !EXCLUDED.test(name))
      .sort()
    const first = own.find(({ target }) => target.topic === members[0])
    if (family === undefined || members.length < 2 || left.length === 0 || first === undefined) continue
    const one = left.length === 1
    yield {
      pointer: child(first.at, 'topic'),
      name: 'topic-without-rule',
      message: `No rule sends events to the ${one ? 'topic' : 'topics'} ${listed(left.map(quoted))}, and ${one ? 'its name is' : 'their names are'} like ${listed(members.map(quoted))}.`,
      suggestion: `Add ${one ? 'a rule for it' : 'rules for them'}, or correct the rule that was meant to name ${one ? 'it' : 'them'}.`,
    }
  }
}

/** A single named partition may be the only one meant; if rules name two, the rules probably should cover all of them. */
function* unroutedPartitions(
  topics: readonly SinkTopic[],
  own: readonly RoutedTarget[],
  all: readonly RoutedTarget[],
): Generator<Unplaced> {
  for (const { name, partitions } of topics) {
    const first = own.find(({ target }) => target.topic === name)
    const named = new Set(
      all.filter(({ target }) => target.topic === name).map(({ target }) => target.partition),
    )
    const left = Array.from({ length: partitions }, (_, partition) => partition).filter(
      (partition) => !named.has(partition),
    )
    if (first === undefined || named.has(undefined) || named.size < 2 || left.length === 0) continue
    const one = left.length === 1
    yield {
      pointer: child(first.at, 'partition'),
      name: 'partition-without-rule',
      message: `No rule sends events to ${one ? 'partition' : 'the partitions'} ${listed(left)} of topic "${name}", which has ${partitions} partitions: every rule that writes to it names another one.`,
      suggestion: `Add ${one ? 'a rule for it' : 'rules for them'}, or leave \`partition\` out, so that the key of an event decides.`,
    }
  }
}

const quoted = (name: string): string => `"${name}"`

const LONGEST_LIST = 5

/** `a, b and c`, or the first of them and the number of the others. */
function listed(items: readonly (string | number)[]): string {
  const others = items.length - LONGEST_LIST
  const shown = others > 1 ? [...items.slice(0, LONGEST_LIST), `${others} others`] : items
  return [shown.slice(0, -1).join(', '), ...shown.slice(-1)].filter((part) => part !== '').join(' and ')
}
