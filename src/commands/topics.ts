import { HeadgateError } from '../contract/errors.js'
import type { NewTopicOptions, TopicAdmin, TopicNeed } from '../contract/index.js'
import { table } from '../lib/terminal/text.js'
import { milliseconds } from '../lib/units.js'
import { type ClusterNeeds, topicNeeds } from '../pipeline/topic-needs.js'
import { redactor } from '../process/redact.js'
import { type Command, type CommandInput, EXIT, type Io } from './command.js'
import { loadOrReport, loadSettings, settingOptions } from './load.js'

const DURATION = /^[1-9][0-9]{0,4}(ms|s)$/
const COUNT = /^[1-9][0-9]{0,4}$/
/** Of a new inbox: their number never changes, and two, three, four or six instances share them evenly. */
const INBOX_PARTITIONS = 12
/** Milliseconds that a new inbox keeps events beyond the redelivery window: so long may a backlog last. */
const INBOX_BACKLOG = 7 * 24 * 60 * 60_000
/** With three replicas and min.insync.replicas=2, no confirmed record is lost with one broker. */
const SAFE = 3

export const topicsCommand: Command = {
  name: 'topics',
  summary: 'Lists the topics that the config needs, and creates those that are missing.',
  details: `Lists the targets of rules, the inboxes and the dead-letter topics, with the partitions that the rules need. Changes nothing without
--create.

--create creates missing topics, with as many partitions as the rules need (or --partitions, if that is more), and adds
missing partitions to existing topics. It adds none to a topic whose records are partitioned by key: keys would move to
other partitions. Run the printed command yourself if order across the change does not matter.

A new inbox has 12 partitions (or as --partitions says), cleanup.policy=delete, and keeps events for 7 days longer than
\`redelivery.window\`. No command adds partitions to it: an id would move to another partition, whose owner does not know it.

Without --replication-factor, new topics have 3 replicas if the cluster has 3 brokers or more, with min.insync.replicas=2:
the default of a Kafka broker is 1, and then the loss of one disk loses events that were confirmed with 2xx. In smaller
clusters, the defaults of the broker apply.

--dry-run writes nothing and prints the commands of Kafka's own tools that would do the same.

Exits with 0 if all topics exist (or were created), with 1 if something is missing or failed.`,
  options: [
    ...settingOptions().filter(({ flags }) => flags.startsWith('--config ')),
    { flags: '--pipeline <name>', description: 'Only the topics of this pipeline.' },
    { flags: '--create', description: 'Creates missing topics and partitions.' },
    { flags: '--dry-run', description: 'With --create: prints the commands instead of running them.' },
    { flags: '--partitions <n>', description: 'Minimum number of partitions of new topics.' },
    { flags: '--replication-factor <n>', description: 'Number of replicas of new topics.' },
    {
      flags: '--timeout <duration>',
      description: 'How long one response of Kafka may take.',
      default: '10s',
    },
  ],
  async run({ options }, io) {
    const problems = wrongUsage(options)
    if (problems.length > 0) {
      io.err(`${problems.join('\n')}\n`)
      return EXIT.usage
    }
    const settings = loadSettings(options, io)
    if (settings === undefined) return EXIT.usage
    const config = await loadOrReport(settings, io)
    if (config === undefined) return EXIT.config
    const { pipeline: named } = options
    const pipelines = config.pipelines.filter(({ name }) => named === undefined || name === named)
    const clusters = topicNeeds(pipelines)
    if (clusters.length === 0) {
      io.err(named === undefined ? 'No pipeline writes to topics.\n' : `There is no pipeline "${named}".\n`)
      return EXIT.usage
    }
    const redact = redactor(config.secrets)
    let code: number = EXIT.ok
    for (const cluster of clusters) {
      const isComplete = await settle(cluster, options, {
        ...io,
        out: (text) => io.out(redact(text)),
        err: (text) => io.err(redact(text)),
      })
      if (!isComplete) code = EXIT.wrong
    }
    return code
  },
}

function wrongUsage(options: CommandInput['options']): string[] {
  const problems = (['partitions', 'replicationFactor'] as const).flatMap((name) =>
    options[name] === undefined || COUNT.test(String(options[name]))
      ? []
      : [
          `--${name === 'partitions' ? name : 'replication-factor'} should be a whole number from 1; it is ${JSON.stringify(options[name])}.`,
        ],
  )
  if (!DURATION.test(String(options['timeout'] ?? '10s')))
    problems.push(`--timeout should be a duration such as 10s; it is ${JSON.stringify(options['timeout'])}.`)
  if (options['dryRun'] === true && options['create'] !== true)
    problems.push('--dry-run needs --create: it prints the commands that --create would run.')
  return problems
}

/** True if everything exists in the end. */
async function settle(
  { sink, needs }: ClusterNeeds,
  options: CommandInput['options'],
  io: Pick<Io, 'out' | 'err'>,
): Promise<boolean> {
  let admin: TopicAdmin | undefined
  try {
    admin = await sink.definition.topics?.open(sink.config, milliseconds(String(options['timeout'] ?? '10s')))
    if (admin === undefined) return true
    const steps = needs.map((need) => stepFor(need, admin?.partitionsOf(need.topic) ?? 0))
    io.out(`${listing(steps)}\n`)
    const missing = steps.filter(({ kind }) => kind !== 'none')
    if (missing.length === 0) return true
    if (options['create'] !== true) {
      io.out(
        `\n"headgate topics --create" creates the missing topics and partitions; with --dry-run it prints the commands.\n`,
      )
      return false
    }
    io.out('\n')
    return await takeSteps(missing, admin, options, io)
  } catch (thrown) {
    if (!(thrown instanceof HeadgateError)) throw thrown
    io.err(`${thrown.code}: ${thrown.message}\n`)
    return false
  } finally {
    await admin?.close()
  }
}

interface Step extends TopicNeed {
  readonly found: number
  /** `by-hand`: more partitions would move keys. */
  readonly kind: 'none' | 'create' | 'add-partitions' | 'by-hand'
}

export function stepFor(need: TopicNeed, found: number): Step {
  if (found === 0) return { ...need, found, kind: 'create' }
  if (found >= (need.partitions ?? 1)) return { ...need, found, kind: 'none' }
  return { ...need, found, kind: need.byKey ? 'by-hand' : 'add-partitions' }
}

function listing(steps: readonly Step[]): string {
  const columns = (['topic', 'partitions needed', 'partitions found'] as const).map(
    (title) => ({ title, align: 'left' }) as const,
  )
  const rows = steps.map(({ topic, partitions, found }) => [
    topic,
    partitions === undefined ? 'any' : String(partitions),
    found === 0 ? 'no such topic' : String(found),
  ])
  return table(columns, rows)
}

/** Takes every step, also after one that fails. */
async function takeSteps(
  steps: readonly Step[],
  admin: TopicAdmin,
  options: CommandInput['options'],
  io: Pick<Io, 'out' | 'err'>,
): Promise<boolean> {
  const isDry = options['dryRun'] === true
  let isComplete = !isDry
  for (const step of steps) {
    const { topic, partitions = 1, kind, found } = step
    const wanted = newTopic(step, admin.brokers, options)
    const command =
      kind === 'create' ? admin.createCommand(topic, wanted) : admin.addPartitionsCommand(topic, partitions)
    if (kind === 'by-hand') {
      io.err(
        `Topic "${topic}" needs ${partitions} partitions and has ${found}. Some of its records are partitioned by key: with more partitions, keys move. If that is acceptable, run:\n  ${command}\n`,
      )
      isComplete = false
    } else if (isDry) {
      io.out(`Would ${kind === 'create' ? 'create' : 'add partitions to'} topic "${topic}":\n  ${command}\n`)
    } else {
      isComplete = (await take(step, wanted, admin, io)) && isComplete
    }
  }
  return isComplete
}

async function take(
  { topic, partitions = 1, kind }: Step,
  wanted: NewTopicOptions,
  admin: TopicAdmin,
  io: Pick<Io, 'out' | 'err'>,
): Promise<boolean> {
  try {
    if (kind === 'create') await admin.create(topic, wanted)
    else await admin.addPartitions(topic, partitions)
    io.out(
      kind === 'create'
        ? `Topic "${topic}" created.\n`
        : `Topic "${topic}" has ${partitions} partitions now.\n`,
    )
    return true
  } catch (thrown) {
    if (!(thrown instanceof HeadgateError)) throw thrown
    io.err(`${thrown.code}: ${thrown.message}\n`)
    return false
  }
}

export function newTopic(
  { partitions, redeliveryWindow }: TopicNeed,
  brokers: number,
  options: CommandInput['options'],
): NewTopicOptions {
  const atLeast = options['partitions'] === undefined ? undefined : Number(options['partitions'])
  const ofInbox = redeliveryWindow === undefined ? undefined : (atLeast ?? INBOX_PARTITIONS)
  const counts = [partitions, atLeast, ofInbox].filter((count) => count !== undefined)
  const replicas = options['replicationFactor']
  return {
    ...(redeliveryWindow !== undefined && { keepFor: redeliveryWindow + INBOX_BACKLOG }),
    partitions: counts.length === 0 ? undefined : Math.max(...counts),
    replicas: replicas === undefined ? (brokers >= SAFE ? SAFE : undefined) : Number(replicas),
  }
}
