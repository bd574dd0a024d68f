import type { CheckedPipeline } from '../../config/check.js'
import { HeadgateError } from '../../contract/errors.js'
import type { Log, RecordLog } from '../../contract/index.js'
import { type Found, findLetters } from '../../dead-letters/find.js'
import { type Judgement, judge } from '../../dead-letters/judge.js'
import type { DeadLetter } from '../../dead-letters/letter.js'
import { endsWithin } from '../../lib/async.js'
import { progressBar } from '../../lib/terminal/progress.js'
import { ProcessMetrics } from '../../metrics/registry.js'
import { buildDelivery, type Delivery } from '../../pipeline/build-delivery.js'
import { readRecordKey } from '../../pipeline/record-mac.js'
import { redactor } from '../../process/redact.js'
import { type CommandInput, EXIT, type Io } from '../command.js'
import { choosePipeline, loadOrReport, loadSettings } from '../load.js'
import type { Selection } from './selection.js'

/** Milliseconds for the sink to disconnect. Records that it still has to send are lost with the process. */
const STOP_WITHIN = 10_000

/** The dead letters of a pipeline and its stages, on an open connection. */
export interface DeadLetterSession {
  readonly delivery: Delivery
  readonly log: RecordLog
  /** Of the dead letters. */
  readonly topic: string
  /** The result of a dead letter with the current config. */
  judge(letter: DeadLetter, value: Buffer): Promise<Judgement>
  /** Replaces values that come from references in the config. */
  redact(text: string): string
  /** Cancels everything in flight and closes the connection. */
  giveUp(): Promise<void>
}

/**
 * Does `work` on the dead letters of the pipeline that the options name. `writes`: the targets of its records are checked
 * too. Returns the exit code; prints errors.
 */
export async function withDeadLetters(
  options: CommandInput['options'],
  io: Io,
  writes: boolean,
  work: (session: DeadLetterSession) => Promise<number>,
): Promise<number> {
  const settings = loadSettings(options, io)
  if (settings === undefined) return EXIT.usage
  const config = await loadOrReport(settings, io)
  if (config === undefined) return EXIT.config
  const eligible = new Map(
    config.pipelines.flatMap((checked) => {
      const { deadLetter } = checked.settings
      return deadLetter === undefined ? [] : [[checked.name, { checked, topic: deadLetter.topic }] as const]
    }),
  )
  const named = options['pipeline'] as string | undefined
  const chosen = choosePipeline(named, [...eligible.keys()], ' with a "deadLetter" topic')
  if ('problem' in chosen) {
    io.err(`${chosen.problem}\n`)
    return EXIT.usage
  }
  const { checked, topic } = eligible.get(chosen.pipeline) as { checked: CheckedPipeline; topic: string }

  const ending = new AbortController()
  const recordKey = readRecordKey(settings.recordKeyFile, io.cwd)
  const deps = { metrics: new ProcessMetrics(), log: () => SILENT, signal: ending.signal, recordKey }
  const delivery = buildDelivery(config, checked, deps)
  const { sink, targets } = delivery
  const redact = redactor(config.secrets)
  const giveUp = async (): Promise<void> => {
    ending.abort()
    await sink.stop?.()
  }
  const onKill = () => void giveUp()
  io.kill.addEventListener('abort', onKill)
  if (!writes) io.signal.addEventListener('abort', onKill)
  try {
    sink.expect(writes ? targets : targets.slice(-1))
    await sink.start?.()
    const [reason] = sink.notReady?.() ?? []
    if (reason !== undefined) throw new HeadgateError('HG_KAFKA_UNAVAILABLE', reason)
    if (sink.log === undefined)
      throw new HeadgateError('HG_CONFIG_VALUE', 'The sink of this pipeline cannot read its own records.')
    for (const { instance } of delivery.transforms) await instance.start?.()
    return await work({
      delivery,
      log: sink.log,
      topic,
      judge: (letter, value) => judge(delivery, letter, value),
      redact,
      giveUp,
    })
  } catch (thrown) {
    if (!(thrown instanceof HeadgateError)) throw thrown
    io.err(redact(`${thrown.code}: ${thrown.message}\n`))
    return EXIT.wrong
  } finally {
    for (const { instance } of delivery.transforms) await instance.stop?.()
    await endsWithin(giveUp(), STOP_WITHIN)
  }
}

/** Reads the dead letters of a selection, with a progress bar on a terminal. `prospects`: with a dry run of each. */
export async function find(
  { delivery, log, topic, judge }: DeadLetterSession,
  selection: Selection,
  io: Io,
  prospects: boolean,
): Promise<Found> {
  const progress = progressBar(io.err, io.terminal.err)
  try {
    return await findLetters({
      ...selection,
      log,
      topic,
      proof: delivery.proof,
      pipeline: delivery.name,
      ...((prospects || selection.onlyPassing) && { judge }),
      onProgress: (done, total) => progress.show(`${done} of ${total} records read`, done, total),
    })
  } finally {
    progress.end()
  }
}

/** Errors reach the operator as output of the command. */
const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} }
