import { parseTree } from 'jsonc-parser'
import type { CheckedPipeline } from '../config/checked-pipeline.js'
import type { CheckedConfig } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type { Log, LoggedRecord, RecordLog, Sink } from '../contract/index.js'
import type { PastEvent } from '../dry-run/compare.js'
import type { DryRun } from '../dry-run/dry-run.js'
import { pastRecords } from '../dry-run/past-records.js'
import { HEADER } from '../ledger/record-headers.js'
import { progressBar } from '../lib/terminal/progress.js'
import { ProcessMetrics } from '../metrics/registry.js'
import { buildDelivery } from '../pipeline/build-delivery.js'
import { redactor } from '../process/redact.js'
import { readCaptured, readEvent } from '../scenarios/event-file.js'
import type { Io } from './command.js'

interface TopicOptions {
  readonly topics: readonly string[]
  /** The number of newest records to read. */
  readonly limit: number
  /** Addresses of Kafka, instead of those in the config. */
  readonly brokers: string | undefined
}

/** Reads past events from topics that the pipeline wrote to. Rejects with a message in which secrets are replaced. */
export async function eventsFromTopics(
  config: CheckedConfig,
  checked: CheckedPipeline,
  dryRun: DryRun,
  options: TopicOptions,
  io: Io,
): Promise<PastEvents> {
  const redact = redactor(config.secrets)
  try {
    const { sink, records } = await readNewest(
      config,
      withBrokers(config, checked, options.brokers),
      options,
      io,
    )
    const past = await pastRecords(records, checked.name, sink.rebuild?.bind(sink), dryRun, config.revision)
    return { events: past.events, notes: notesOn(options.topics.join(', '), past) }
  } catch (thrown) {
    if (!(thrown instanceof HeadgateError)) throw thrown
    throw new HeadgateError(thrown.code, redact(thrown.message))
  }
}

function notesOn(
  topic: string,
  { rebuilt, unusable, foreign }: Awaited<ReturnType<typeof pastRecords>>,
): string[] {
  return [
    ...(rebuilt === 0
      ? []
      : [
          `${countRecords(rebuilt)} of ${topic} hold only a part of the event. The events were rebuilt from value, key and headers. A rule that looks at another part of the event finds nothing there, so these events say nothing about such a rule. Use --events with whole bodies for that.`,
        ]),
    ...(unusable === 0
      ? []
      : [
          `${countRecords(unusable)} of ${topic} are left out: the current config would decide on parts of the event that they do not hold. Use --events with whole bodies, or the dead letters, which are whole.`,
        ]),
    ...(foreign === 0
      ? []
      : [`${countRecords(foreign)} of ${topic} are left out: this pipeline did not write them.`]),
  ]
}

const countRecords = (count: number): string => `${count} ${count === 1 ? 'record' : 'records'}`

/** Throws if a reference in the settings of the sink has no value. */
function withBrokers(
  { placeholders }: CheckedConfig,
  checked: CheckedPipeline,
  brokers: string | undefined,
): CheckedPipeline {
  const { sink } = checked
  const ofSink = placeholders.filter(({ pointer }) => pointer.startsWith(`${sink.pointer}/`))
  const missing = ofSink.find(
    ({ pointer }) => brokers === undefined || pointer !== `${sink.pointer}/config/brokers`,
  )
  if (missing !== undefined) {
    const message = `${missing.reference} has no value, which is needed to read from Kafka${
      missing.pointer.endsWith('/brokers') ? '; set it, or give --brokers' : ''
    }.`
    throw new HeadgateError('HG_CONFIG_PROVIDER', message)
  }
  return brokers === undefined
    ? checked
    : { ...checked, sink: { ...sink, config: { ...(sink.config as object), brokers } } }
}

async function readNewest(
  config: CheckedConfig,
  checked: CheckedPipeline,
  { topics, limit }: TopicOptions,
  io: Io,
): Promise<{ readonly sink: Sink; readonly records: readonly LoggedRecord[] }> {
  const ending = new AbortController()
  const deps = { metrics: new ProcessMetrics(), log: () => SILENT, signal: ending.signal }
  const { sink } = buildDelivery(config, checked, deps)
  const close = async (): Promise<void> => {
    ending.abort()
    await sink.stop?.()
  }
  const onSignal = () => void close()
  io.signal.addEventListener('abort', onSignal)
  try {
    sink.expect(topics.map((topic) => ({ target: { topic }, location: '--from-topic' })))
    await sink.start?.()
    const [reason] = sink.notReady?.() ?? []
    if (reason !== undefined) throw new HeadgateError('HG_KAFKA_UNAVAILABLE', reason)
    if (sink.log === undefined)
      throw new HeadgateError('HG_CONFIG_VALUE', 'The sink of this pipeline cannot read its own records.')
    return { sink, records: await newest(sink.log, topics, limit, io) }
  } finally {
    io.signal.removeEventListener('abort', onSignal)
    await close()
  }
}

/** Reads from each partition only as many records as could be among the newest of all. */
async function newest(
  log: RecordLog,
  topics: readonly string[],
  limit: number,
  io: Io,
): Promise<LoggedRecord[]> {
  const partitions = (await log.partitions()).filter(({ topic }) => topics.includes(topic))
  const from = partitions.map(({ topic, partition, start, end }) => ({
    topic,
    partition,
    offset: Math.max(start, end - limit),
  }))
  const total = from.reduce((sum, { offset }, index) => sum + (partitions[index]?.end ?? offset) - offset, 0)
  const progress = progressBar(io.err, io.terminal.err)
  const records: LoggedRecord[] = []
  try {
    await log.read(from, (record) => {
      progress.show(`${records.length} of ${total} records read`, Math.min(records.length, total), total)
      // A replay writes notes to the dead-letter topic; they are not events.
      if (record.header(HEADER.replay) === undefined) records.push(record)
    })
  } finally {
    progress.end()
  }
  records.sort((a, b) => a.timestamp - b.timestamp)
  return records.slice(-limit)
}

/** Errors reach the operator as output of the command. */
const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** Past events, and a note for people about each group that was left out. */
export interface PastEvents {
  readonly events: readonly PastEvent[]
  readonly notes: readonly string[]
}

/** Reads bodies of events, with their requests or without, as JSON lines or as one JSON array, or the lines of `headgate dlq export`. */
export function pastEvents(text: string, pipeline: string): PastEvents {
  const whole = wholeDocument(text)
  if (whole !== undefined) {
    const events = whole.map((text, index) => {
      const { body, ...others } = readEvent(text)
      return { pipeline, body: Buffer.from(body), name: `event ${index + 1}`, ...others }
    })
    return { events, notes: [] }
  }
  const { events, skipped } = readCaptured(text)
  const ours = events.filter(({ letter }) => letter === undefined || letter.pipeline === pipeline)
  const others = events.length - ours.length
  return {
    events: ours.map(({ line, body, letter, request, contentType }) => ({
      pipeline,
      body: Buffer.from(body),
      name: `line ${line}`,
      contentType,
      ...(request !== undefined && { request }),
      ...(letter !== undefined && { id: letter.id }),
    })),
    notes: [
      ...(others === 0 ? [] : [`${others} dead letters of other pipelines are left out.`]),
      ...skipped.map((line) => `Left out: ${line}.`),
    ],
  }
}

/**
 * The events of a text that is one JSON document of several lines or one array; undefined for JSON lines. The text of each
 * is kept: a number that goes through JavaScript can change.
 */
function wholeDocument(text: string): readonly string[] | undefined {
  const isArray = text.trimStart().startsWith('[')
  if (!isArray && !text.trim().includes('\n')) return undefined
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isArray) return [text]
  return (parseTree(text)?.children ?? []).map(({ offset, length }) => text.slice(offset, offset + length))
}
