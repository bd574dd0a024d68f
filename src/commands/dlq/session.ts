import type { CheckedPipeline } from '../../config/checked-pipeline.js'
import { HeadgateError } from '../../contract/errors.js'
import { type Found, findLetters } from '../../dead-letters/find.js'
import { type DeadLetterSession, deadLetterTopic, withSession } from '../../dead-letters/session.js'
import { progressBar } from '../../lib/terminal/progress.js'
import { readRecordKey } from '../../pipeline/record-mac.js'
import { redactor } from '../../process/redact.js'
import { type CommandInput, EXIT, type Io } from '../command.js'
import { choosePipeline, loadOrReport, loadSettings } from '../load.js'
import type { Selection } from './selection.js'

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
    config.pipelines.flatMap((checked) =>
      deadLetterTopic(checked) === undefined ? [] : [[checked.name, checked] as const],
    ),
  )
  const named = options['pipeline'] as string | undefined
  const chosen = choosePipeline(named, [...eligible.keys()], ' with a "deadLetter" topic')
  if ('problem' in chosen) {
    io.err(`${chosen.problem}\n`)
    return EXIT.usage
  }
  const checked = eligible.get(chosen.pipeline) as CheckedPipeline
  const recordKey = readRecordKey(settings.recordKeyFile, io.cwd)
  const kill = writes ? [io.kill] : [io.kill, io.signal]
  try {
    return await withSession({ config, checked, recordKey, writes, kill }, work)
  } catch (thrown) {
    if (!(thrown instanceof HeadgateError)) throw thrown
    io.err(redactor(config.secrets)(`${thrown.code}: ${thrown.message}\n`))
    return EXIT.wrong
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
