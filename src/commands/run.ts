import { startApp } from '../app.js'
import { HeadgateError } from '../errors.js'
import { createLog } from '../log.js'
import { formatProblem } from '../pipeline/config/problem.js'
import type { Left } from '../pipeline/lifecycle.js'
import { redactor } from '../redact.js'
import { LONGEST_TIMER, milliseconds } from '../units.js'
import { type Command, EXIT, type Io } from './command.js'
import { loadConfig, loadSettings, settingOptions } from './load.js'

export const runCommand: Command = {
  name: 'run',
  summary: 'Takes events until it is told to stop.',
  details: `Stops on SIGTERM or SIGINT: answers what is in flight, waits for Kafka, acknowledges what it can, and exits
with 0. A second signal, or the shutdown timeout, ends the waiting: it exits with 1 and says what was left.`,
  options: settingOptions(),
  async run({ options }, io) {
    const settings = loadSettings(options, io)
    if (settings === undefined) return EXIT.usage
    const read = loadConfig(settings, io)
    if (!read.ok) {
      io.err(`${read.problems.map(formatProblem).join('\n\n')}\n\nNothing was started.\n`)
      return EXIT.wrong
    }
    const { config } = read
    const { logLevel: level, logFormat: format } = settings
    const { log, redact } = createLog({ level, format, terminal: io.terminal.out, write: io.out })
    redact(redactor(config.secrets))
    log.info({ event: 'starting', config: config.file, revision: config.revision }, 'starting')

    const deadline = new AbortController()
    io.kill.addEventListener('abort', () => deadline.abort(), { once: true })
    try {
      const app = await startApp({
        settings,
        config,
        log: (fields) => log.child(fields),
        deadline: deadline.signal,
      })
      log.info({ event: 'listening', intake: app.intake, admin: app.admin }, 'listening')
      await aborted(io.signal)
      const timer = setTimeout(
        () => deadline.abort(),
        Math.min(milliseconds(settings.shutdownTimeout), LONGEST_TIMER),
      )
      log.info({ event: 'stopping', timeout: settings.shutdownTimeout }, 'stopping')
      const left = await app.stop()
      clearTimeout(timer)
      return report(left.filter(({ inFlight, unacknowledged }) => inFlight + unacknowledged > 0))
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error
      log.fatal({ event: 'failed', code: error.code }, error.message)
      return EXIT.wrong
    }

    function report(left: readonly Left[]): number {
      for (const { pipeline, inFlight, unacknowledged } of left) {
        const message = `stopped with ${inFlight} events not answered and ${unacknowledged} not acknowledged to their sender`
        log.error({ event: 'left', pipeline, inFlight, unacknowledged }, message)
      }
      log.info({ event: 'stopped' }, 'stopped')
      return left.length === 0 && !deadline.signal.aborted ? EXIT.ok : EXIT.wrong
    }
  },
}

const aborted = (signal: Io['signal']): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
