import { resolve } from 'node:path'
import { App } from '../app.js'
import { formatLocation, type Warning } from '../config/problem.js'
import type { ReadResult } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { LONGEST_TIMER, milliseconds } from '../lib/units.js'
import type { Unfinished } from '../pipeline/lifecycle.js'
import { tried } from '../pipeline/trial.js'
import { plugins } from '../plugins/index.js'
import { createLog, Loggers, type ProcessLog, warningLogger } from '../process/logging.js'
import { packageJson } from '../process/package.js'
import { lineRedactor } from '../process/redact.js'
import { listeningSockets, serviceManager } from '../process/service-manager.js'
import { SETTINGS, type SettingsResult } from '../process/settings.js'
import { takeoverProblem } from '../process/takeover.js'
import { type Command, type CommandInput, EXIT, type Io } from './command.js'
import { loadConfig, settingOptions, settingsFrom } from './load.js'
import { findingsOf, problemReport } from './problems.js'

export const runCommand: Command = {
  name: 'run',
  summary: 'Takes events until it is told to stop.',
  details: `Takes over changes of the config file while it runs: when the file, or a file that it names, says something
else, on SIGHUP, and on POST /config/reload. A config that cannot be used changes nothing.

Stops on SIGTERM or SIGINT: answers what is in flight, waits for Kafka, acknowledges what it can, and exits
with 0. A second signal, or the shutdown timeout, ends the waiting: it exits with 1 and says what was left. It exits with
2 when a flag or a setting is wrong and with 78 when the config cannot be used: starting it again would not help.

With --takeover it takes the place of the process that uses the state directory, without a moment in which nobody
listens: it opens the ports, asks that process to stop, and takes events when it has. Under systemd, and with a Node.js
before 22.12, use a socket unit for that.

Under systemd it reports READY, STOPPING and the watchdog (Type=notify), and takes listening sockets from a socket
unit.`,
  options: settingOptions(),
  async run({ options }, io) {
    const given = settingsFrom(options, io)
    const { log, redact, line, readable } = await openLog(given.read, options, io)
    if (!readable)
      io.onCrash((error) =>
        log.fatal({ event: 'crashed', err: error }, 'Headgate failed; please report this'),
      )
    io.onWarning(warningLogger(log))
    for (const slip of given.slips) log.warn({ event: 'setting-unknown' }, slip)
    const problems = problemsOf(given.read)
    if (!given.read.ok || problems.length > 0) {
      for (const problem of problems) log.error({ event: 'setting-problem' }, problem)
      log.fatal({ event: 'failed' }, 'a setting of the process is wrong; nothing was started')
      return EXIT.usage
    }
    const { settings } = given.read
    const read = await tried(await loadConfig(settings, io))
    if (!read.ok) {
      if (readable) io.err(`${problemReport(read, io)}Nothing was started.\n`)
      else logProblems(read, log)
      return EXIT.config
    }
    const { config } = read
    redact(lineRedactor(config.secrets))
    log.info({ event: 'starting', config: config.file, revision: config.revision }, 'starting')
    warn(config.warnings)

    const deadline = new AbortController()
    io.kill.addEventListener('abort', () => deadline.abort(), { once: true })
    let reload = (): void => {}
    io.onHangup(() => reload())
    const manager = serviceManager(io.env, process.pid, log)
    const takeover = new AbortController()
    try {
      const app = await App.start({
        settings,
        sockets: listeningSockets(io.env, process.pid),
        config,
        file: resolve(io.cwd, settings.config),
        read: async (text) =>
          // With a text, it is a question of the admin API.
          text === undefined ? tried(await loadConfig(settings, io)) : loadConfig(settings, io, { text }),
        onSecrets: (secrets) => redact(lineRedactor(secrets)),
        onTakeover(pid) {
          log.info({ event: 'takeover', pid }, 'another process takes over')
          takeover.abort()
        },
        loggers: new Loggers(log),
        line,
        plugins,
        version: packageJson().version,
        deadline: deadline.signal,
      })
      reload = () => app.reload('signal')
      log.info({ event: 'listening', intake: app.intake, admin: app.admin }, 'listening')
      manager.ready(`Listening on ${app.intake}; ${app.admin}/ready says whether events are taken.`)
      await aborted(AbortSignal.any([io.signal, takeover.signal]))
      manager.stopping()
      const timer = setTimeout(
        () => deadline.abort(),
        Math.min(milliseconds(settings.shutdownTimeout), LONGEST_TIMER),
      )
      log.info({ event: 'stopping', timeout: settings.shutdownTimeout }, 'stopping')
      const left = await app.stop(takeover.signal.aborted)
      clearTimeout(timer)
      const isLeft = ({ inFlight, unacknowledged }: Unfinished) =>
        inFlight > 0 || (unacknowledged > 0 && !takeover.signal.aborted)
      return report(left.filter(isLeft))
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error
      log.fatal({ event: 'failed', code: error.code }, error.message)
      return error.code.startsWith('HG_CONFIG_') ? EXIT.config : EXIT.wrong
    }

    function warn(warnings: readonly Warning[]): void {
      if (warnings.length === 0) return
      const names = [...new Set(warnings.map(({ name }) => name))]
      const message = `the config has warnings, which "headgate validate" shows: ${names.join(', ')}`
      log.warn({ event: 'config-warnings', count: warnings.length, names }, message)
    }

    function report(left: readonly Unfinished[]): number {
      for (const { pipeline, inFlight, unacknowledged } of left) {
        const message = `stopped with ${inFlight} events not answered and ${unacknowledged} not acknowledged to their sender`
        log.error({ event: 'left', pipeline, inFlight, unacknowledged }, message)
      }
      log.info({ event: 'stopped' }, 'stopped')
      return left.length === 0 && !deadline.signal.aborted ? EXIT.ok : EXIT.wrong
    }
  },
}

const problemsOf = (read: SettingsResult): readonly string[] => {
  if (!read.ok) return read.problems
  const problem = read.settings.takeover ? takeoverProblem(process.versions.node) : undefined
  return problem === undefined ? [] : [problem]
}

const aborted = (signal: Io['signal']): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** The log as the settings say, or as far as they can be understood where one of them is wrong. */
async function openLog(
  read: SettingsResult,
  flags: CommandInput['options'],
  { terminal, env, out }: Io,
): Promise<ProcessLog & { readonly readable: boolean }> {
  const format = read.ok
    ? read.settings.logFormat
    : String(flags['logFormat'] ?? env[SETTINGS.logFormat.env] ?? 'auto')
  const readable = format === 'pretty' || (format !== 'json' && terminal.out)
  const created = await createLog({
    level: read.ok ? read.settings.logLevel : 'info',
    format: readable ? 'pretty' : 'json',
    terminal: terminal.out,
    write: out,
  })
  return { ...created, readable }
}

/** A line for each problem and warning, where programs read the log. */
function logProblems(read: Extract<ReadResult, { ok: false }>, log: Log): void {
  const findings = findingsOf(read)
  for (const { severity, location, message, ...more } of findings) {
    const { file, line, column } = location
    const level = severity === 'error' ? 'error' : 'warn'
    log[level](
      { event: 'config-problem', file, line, column, ...more },
      `${formatLocation(location)}: ${message}`,
    )
  }
  const errors = findings.filter(({ severity }) => severity === 'error').length
  log.error({ event: 'failed', problems: errors }, 'the config cannot be used; nothing was started')
}
