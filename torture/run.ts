/**
 * `npm run torture`: causes faults under load, on a real Kafka of three nodes, and checks that every promise was
 * kept.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { packageFile } from '../src/process/package.js'
import { scrape } from '../src/sandbox/reconcile.js'
import { PIPELINE } from '../src/sandbox/routes.js'
import { INBOX } from './config.js'
import { type Environment, startEnvironment } from './environment.js'
import { createJournal } from './journal.js'
import { type Options, readOptions, showProgress } from './options.js'
import { readRecords } from './records.js'
import { chronicle, type Run, report } from './report.js'
import { Sender } from './sender.js'
import { torture } from './torture.js'
import { judge, unacknowledged } from './verdict.js'

/** The most milliseconds until the sender has its last responses. */
const ANSWERED_WITHIN = 90_000
/** The most milliseconds for the last acknowledgements, in total and without progress. */
const ACKNOWLEDGED_WITHIN = 180_000
const ACKNOWLEDGED_PATIENCE = 45_000
const LOOK_EVERY = 500

async function run(options: Options, signal: AbortSignal): Promise<boolean> {
  const { seed, seconds, rate, workers, instances: count } = options
  const isShared = count !== undefined
  console.log(
    [
      `seed ${seed}: ${seconds} s of faults`,
      `${rate} new events a second`,
      ...(isShared ? [`${count} instances`] : []),
      ...(workers > 0 ? [`${workers} workers`] : []),
    ].join(', '),
  )
  const environment = await startEnvironment(options, signal)
  const { instances } = environment
  const all = allOf(environment)
  const startedAt = Date.now()
  const elapsed = () => (Date.now() - startedAt) / 1000
  const journal = createJournal(isShared)
  const targets = all.map(({ url, headgate }) => ({ url, takesEvents: () => headgate.takesEvents }))
  const sender = new Sender({ targets, token: environment.token, seed, rate }, journal)
  const endProgress = showProgress(() => {
    const { sent, answered } = journal
    const now = environment.faults.entries.filter(({ until }) => until === undefined).map(({ kind }) => kind)
    const counts = `${sent.length} sent, ${answered} answered, ${environment.simulator.acknowledged.size} acknowledged`
    return `+${elapsed().toFixed(0)} s: ${counts}, ${environment.faults.entries.length} faults${now.length > 0 ? `; now: ${now.join(', ')}` : ''}`
  })
  try {
    await torture(environment, options, signal)
    await Promise.all(instances.map(({ headgate }) => headgate.start()))
    await sender.finish(ANSWERED_WITHIN, signal)
    await allAcknowledged(environment, journal.sent, signal)
    const exits = await Promise.all(instances.map(({ headgate }) => headgate.stop()))
    await environment.simulator.caughtUp()
    const records = await readRecords(environment.kafka.bootstrap)
    const inbox = isShared ? await readRecords(environment.kafka.bootstrap, [INBOX]) : undefined
    const { acknowledged, responses } = environment.simulator
    const troubles = all.flatMap(({ headgate }) => headgate.troubles)
    for (const exit of exits.filter((each) => each?.code !== 0)) {
      const how =
        exit === undefined ? 'does not run' : `ended with ${exit.signal ?? `exit code ${exit.code}`}`
      troubles.push({ at: Date.now(), what: `Headgate ${how} at the end; expected is exit code 0.` })
    }
    const verdict = judge({ sent: journal.sent, records, inbox, acknowledged, troubles })
    const { requests } = sender
    const { entries: faults } = environment.faults
    const ran: Run = { seed, startedAt, seconds: elapsed(), faults, requests, acknowledgements: responses }
    endProgress()
    console.log(`\n${report(ran, verdict)}`)
    const kept = verdict.violations.length === 0
    if (!kept) console.log(`All of it, and Headgate's log: ${writeLog(ran, verdict, environment)}`)
    return kept
  } finally {
    endProgress()
    await sender.close()
    await environment.end()
  }
}

const allOf = ({ instances, visitor }: Environment) =>
  visitor === undefined ? instances : [...instances, visitor]

/** Resolves when every event with 2xx is acknowledged and Headgate knows it, or when that takes too long. */
async function allAcknowledged(
  { simulator, instances }: Environment,
  sent: Parameters<typeof unacknowledged>[0],
  signal: AbortSignal,
): Promise<void> {
  const start = performance.now()
  const fewest = { open: Number.POSITIVE_INFINITY, pending: Number.POSITIVE_INFINITY }
  let since = start
  while (
    performance.now() - start < ACKNOWLEDGED_WITHIN &&
    performance.now() - since < ACKNOWLEDGED_PATIENCE
  ) {
    const open = unacknowledged(sent, simulator.acknowledged).length
    const pending = await pendingAt(instances)
    if (open + pending === 0) return
    // With an inbox, what is pending grows first: its events are worked off faster than they are acknowledged.
    if (open < fewest.open || (open === 0 && pending < fewest.pending)) {
      since = performance.now()
      Object.assign(fewest, { open, pending })
    }
    await wait(LOOK_EVERY, undefined, { signal })
  }
}

async function pendingAt(instances: Environment['instances']): Promise<number> {
  const counts = instances.map(({ admin }) =>
    scrape(admin).then(
      (metrics) => metrics.sum('headgate_ledger_pending', { pipeline: PIPELINE }),
      () => Number.POSITIVE_INFINITY,
    ),
  )
  return (await Promise.all(counts)).reduce((sum, each) => sum + each, 0)
}

function writeLog(ran: Run, { violations }: ReturnType<typeof judge>, environment: Environment): string {
  const path = packageFile(`build/torture-${ran.seed}.log`)
  mkdirSync(packageFile('build'), { recursive: true })
  const logs = allOf(environment).map(({ headgate }) => headgate.log().join('\n'))
  writeFileSync(path, `${chronicle(ran, violations)}\n${logs.join('\n\n')}\n`)
  return path
}

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // Child processes end with this one, but in the second case not before they notice.
    if (stop.signal.aborted) process.exit(130)
    stop.abort()
  })
}

try {
  process.exitCode = (await run(readOptions(process.argv.slice(2)), stop.signal)) ? 0 : 1
} catch (error) {
  if (stop.signal.aborted) console.error('Called off.')
  else console.error(error instanceof Error ? error.message : error)
  process.exitCode = stop.signal.aborted ? 130 : 1
}
