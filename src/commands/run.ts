import { resolve } from 'node:path'
import { App } from '../app.js'
import { formatLocation, type Warning } from '../config/problem.js'
import type { CheckedConfig, ReadResult } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { endNativeCalls } from '../lib/native-calls.js'
import { LONGEST_TIMER, milliseconds } from '../lib/units.js'
import type { Unfinished } from '../pipeline/lifecycle.js'
import { runTrials } from '../pipeline/trial.js'
import { plugins } from '../plugins/index.js'
import { createLog, Loggers, type ProcessLog, warningLogger } from '../process/logging.js'
import { packageJson } from '../process/package.js'
import { lineRedactor } from '../process/redact.js'
import { listeningSockets, serviceManager } from '../process/service-manager.js'
import { SETTINGS, type Settings, type SettingsResult } from '../process/settings.js'
import { takeoverProblem } from '../process/takeover.js'
import { type Command, type CommandInput, EXIT, type Io } from './command.js'
import { loadConfig, settingOptions, settingsFrom } from './load.js'
import { findingsOf, problemReport } from './problems.js'

export const runCommand: Command = {
  name: 'run',
  summary: 'Starts Headgate; it takes events until it is stopped.',
  details: `Reloads the config while it runs: when the config file, or a file that it names, changes; on SIGHUP; and on
POST /config/reload. If the new config cannot be used, the old one keeps running.

Stops on SIGTERM or SIGINT: it drains requests in flight, waits for Kafka, sends pending acknowledgements, and exits with 0.
A second signal, or the shutdown timeout, stops it at once: it exits with 1 and logs what is unfinished. It exits with 2 if a
flag or a setting is wrong, and with 78 if the config cannot be used; restarting it would not help.

With --takeover it replaces the process that uses the state directory, without refusing connections meanwhile: it opens the
ports, asks that process to stop, and takes events when it has stopped. Under systemd, and with Node.js before 22.12, use a
socket unit instead.

Under systemd it reports READY, STOPPING and the watchdog (Type=notify), and takes listening sockets from a socket unit.`,
  options: settingOptions(),
  async run({ options }, io) {
    const settingsResult = settingsFrom(options, io)
    const processLog = await openLog(settingsResult.read, options, io)
    const { log, readable } = processLog
    if (!readable)
      io.onCrash((error) =>
        log.fatal({ event: 'crashed', err: error }, 'Headgate crashed; please report this'),
      )
    io.onWarning(warningLogger(log))
    for (const warning of settingsResult.warnings) log.warn({ event: 'setting-warning' }, warning)
    const problems = problemsOf(settingsResult.read)
    if (!settingsResult.read.ok || problems.length > 0) {
      for (const problem of problems) log.error({ event: 'setting-problem' }, problem)
      log.fatal({ event: 'failed' }, 'a process setting is wrong; Headgate does not start')
      return EXIT.usage
    }
    const { settings } = settingsResult.read
    const read = await runTrials(await loadConfig(settings, io))
    if (!read.ok) {
      if (readable) io.err(`${problemReport(read, io)}Headgate does not start.\n`)
      else logProblems(read, log)
      return EXIT.config
    }
    try {
      return await serve(settings, read.config, processLog, io)
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error
      log.fatal({ event: 'failed', code: error.code }, error.message)
      return error.code.startsWith('HG_CONFIG_') ? EXIT.config : EXIT.wrong
    }
  },
}

/** Runs until a signal or another process stops it; returns the exit code. */
async function serve(
  settings: Settings,
  config: CheckedConfig,
  { log, redact, line, readable }: ProcessLog & { readonly readable: boolean },
  io: Io,
): Promise<number> {
  redact(lineRedactor(config.secrets))
  log.info({ event: 'starting', config: config.file, revision: config.revision }, 'starting')
  logWarnings(config.warnings, log)
  const deadline = new AbortController()
  io.kill.addEventListener('abort', () => deadline.abort(), { once: true })
  // Handled from now on: by default, a SIGHUP while it starts would end the process.
  let reload = (): void => {}
  io.onHangup(() => reload())
  const manager = serviceManager(io.env, process.pid, log)
  const takeover = new AbortController()
  const app = await App.start({
    settings,
    sockets: listeningSockets(io.env, process.pid),
    config,
    file: resolve(io.cwd, settings.config),
    read: (files) =>
      loadConfig(settings, io, { contents: files.contents, checked: files, othersOnDisk: true }),
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
  const addresses = { intake: app.intake, admin: app.admin }
  log.info(
    { event: 'listening', ...addresses, ...(readable && { console: `${app.admin}/console` }) },
    'listening',
  )
  manager.ready(`Listening on ${app.intake}; ${app.admin}/ready says whether it takes events.`)
  await aborted(AbortSignal.any([io.signal, takeover.signal]))
  manager.stopping()
  const timeout = Math.min(milliseconds(settings.shutdownTimeout), LONGEST_TIMER)
  const timer = setTimeout(() => deadline.abort(), timeout)
  log.info({ event: 'stopping', timeout: settings.shutdownTimeout }, 'stopping')
  const unfinished = await app.stop(takeover.signal.aborted)
  clearTimeout(timer)
  // After a takeover, the other process sends the acknowledgements.
  const isLost = ({ inFlight, unacknowledged }: Unfinished) =>
    inFlight > 0 || (unacknowledged > 0 && !takeover.signal.aborted)
  const lost = unfinished.filter(isLost)
  logUnfinished(lost, log)
  log.info({ event: 'stopped' }, 'stopped')
  await endNativeCalls()
  return lost.length === 0 && !deadline.signal.aborted ? EXIT.ok : EXIT.wrong
}

function logWarnings(warnings: readonly Warning[], log: ProcessLog['log']): void {
  if (warnings.length === 0) return
  const names = [...new Set(warnings.map(({ name }) => name))]
  const message = `the config has warnings; "headgate validate" shows them: ${names.join(', ')}`
  log.warn({ event: 'config-warnings', count: warnings.length, names }, message)
}

function logUnfinished(unfinished: readonly Unfinished[], log: ProcessLog['log']): void {
  for (const { pipeline, inFlight, unacknowledged } of unfinished) {
    const message = `stopped with ${inFlight} requests in flight and ${unacknowledged} events not acknowledged to their sender`
    log.error({ event: 'left', pipeline, inFlight, unacknowledged }, message)
  }
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

/** The log as in the settings; if a setting is wrong, with the flags, the environment and the defaults. */
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

/** One line per problem and warning, if programs read the log. */
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
  log.error({ event: 'failed', problems: errors }, 'the config cannot be used; Headgate does not start')
}
