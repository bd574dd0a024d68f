import { resolve } from 'node:path'
import { startApp } from '../app.js'
import { HeadgateError } from '../errors.js'
import { createLog, warningLogger } from '../log.js'
import { createLoggers } from '../log-levels.js'
import { packageFacts } from '../package-facts.js'
import type { Warning } from '../pipeline/config/problem.js'
import type { Left } from '../pipeline/lifecycle.js'
import { plugins } from '../plugins/index.js'
import { redactor } from '../redact.js'
import { LONGEST_TIMER, milliseconds } from '../units.js'
import { type Command, EXIT, type Io } from './command.js'
import { loadConfig, loadSettings, settingOptions } from './load.js'
import { problemReport } from './problem-report.js'

export const runCommand: Command = {
  name: 'run',
  summary: 'Takes events until it is told to stop.',
  details: `Takes over changes of the config file while it runs: when the file, or a file that it names, says something
else, on SIGHUP, and on POST /config/reload. A config that cannot be used changes nothing.

Stops on SIGTERM or SIGINT: answers what is in flight, waits for Kafka, acknowledges what it can, and exits
with 0. A second signal, or the shutdown timeout, ends the waiting: it exits with 1 and says what was left.`,
  options: settingOptions(),
  async run({ options }, io) {
    const settings = loadSettings(options, io)
    if (settings === undefined) return EXIT.usage
    const read = await loadConfig(settings, io)
    if (!read.ok) {
      io.err(`${problemReport(read, io)}Nothing was started.\n`)
      return EXIT.wrong
    }
    const { config } = read
    const { logLevel: level, logFormat: format } = settings
    const { log, redact, line } = await createLog({
      level,
      format,
      terminal: io.terminal.out,
      write: io.out,
    })
    redact(redactor(config.secrets))
    io.onWarning(warningLogger(log))
    log.info({ event: 'starting', config: config.file, revision: config.revision }, 'starting')
    warn(config.warnings)

    const deadline = new AbortController()
    io.kill.addEventListener('abort', () => deadline.abort(), { once: true })
    let reload = (): void => {}
    io.onHangup(() => reload())
    try {
      const app = await startApp({
        settings,
        config,
        file: resolve(io.cwd, settings.config),
        read: (text) => loadConfig(settings, io, text === undefined ? {} : { text }),
        onSecrets: (secrets) => redact(redactor(secrets)),
        loggers: createLoggers(log),
        line,
        plugins,
        version: packageFacts.version,
        deadline: deadline.signal,
      })
      reload = () => app.reload('signal')
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

    function warn(warnings: readonly Warning[]): void {
      if (warnings.length === 0) return
      const names = [...new Set(warnings.map(({ name }) => name))]
      const message = `the config has warnings, which "headgate validate" shows: ${names.join(', ')}`
      log.warn({ event: 'config-warnings', count: warnings.length, names }, message)
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
