/** `npm run torture`: faults under load, on a real Kafka of three nodes, and whether every promise was kept. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { packageFile } from '../src/process/package.js'
import { scrape } from '../src/sandbox/reconcile.js'
import { PIPELINE } from '../src/sandbox/routes.js'
import { readRecords } from './events.js'
import { createJournal } from './journal.js'
import { type Options, readOptions, showProgress } from './options.js'
import { chronicle, type Run, report } from './report.js'
import { startSender } from './sender.js'
import { type Environment, startSurroundings } from './surroundings.js'
import { torture } from './torture.js'
import { judge, unacknowledged } from './verdict.js'

/** How long the sender may need to get its last answers, in milliseconds. */
const ANSWERED_WITHIN = 90_000
/** How long the last acknowledgements may take altogether, and without any progress. */
const ACKNOWLEDGED_WITHIN = 180_000
const ACKNOWLEDGED_PATIENCE = 45_000
const LOOK_EVERY = 500

async function run(options: Options, signal: AbortSignal): Promise<boolean> {
  const { seed, seconds, rate, workers } = options
  console.log(
    `seed ${seed}: ${seconds} s of faults, ${rate} new events a second${workers > 0 ? `, ${workers} workers` : ''}`,
  )
  const around = await startSurroundings(workers, signal)
  const startedAt = Date.now()
  const elapsed = () => (Date.now() - startedAt) / 1000
  const journal = createJournal()
  const sender = startSender({ url: around.webhook, token: around.token, seed, rate }, journal)
  const endProgress = showProgress(() => {
    const { sent, answered } = journal
    const now = around.faults.entries.filter(({ until }) => until === undefined).map(({ kind }) => kind)
    const counts = `${sent.length} sent, ${answered} answered, ${around.simulator.acknowledged.size} acknowledged`
    return `+${elapsed().toFixed(0)} s: ${counts}, ${around.faults.entries.length} faults${now.length > 0 ? `; now: ${now.join(', ')}` : ''}`
  })
  try {
    await torture(around, options, signal)
    await around.headgate.start()
    await sender.finish(ANSWERED_WITHIN, signal)
    await allAcknowledged(around, journal.sent, signal)
    const exit = await around.headgate.stop()
    await around.simulator.caughtUp()
    const records = await readRecords(around.kafka.bootstrap)
    const { acknowledged, answers } = around.simulator
    const troubles = [...around.headgate.troubles]
    if (exit?.code !== 0) {
      const how =
        exit === undefined ? 'does not run' : `ended with ${exit.signal ?? `exit code ${exit.code}`}`
      troubles.push({ at: Date.now(), what: `Headgate ${how} at the end; expected is exit code 0.` })
    }
    const verdict = judge({ sent: journal.sent, records, acknowledged, troubles })
    const { requests } = sender
    const { entries: faults } = around.faults
    const ran: Run = { seed, startedAt, seconds: elapsed(), faults, requests, acknowledgements: answers }
    endProgress()
    console.log(`\n${report(ran, verdict)}`)
    const kept = verdict.violations.length === 0
    if (!kept) console.log(`All of it, and Headgate's log: ${writeLog(ran, verdict, around)}`)
    return kept
  } finally {
    endProgress()
    await sender.close()
    await around.end()
  }
}

/** Resolves when all that was answered 2xx is acknowledged and Headgate knows it, or when that takes too long. */
async function allAcknowledged(
  { simulator, admin }: Environment,
  sent: Parameters<typeof unacknowledged>[0],
  signal: AbortSignal,
): Promise<void> {
  const start = performance.now()
  let fewest = Number.POSITIVE_INFINITY
  let since = start
  while (
    performance.now() - start < ACKNOWLEDGED_WITHIN &&
    performance.now() - since < ACKNOWLEDGED_PATIENCE
  ) {
    const pending = await scrape(admin).then(
      (metrics) => metrics.sum('headgate_ledger_pending', { pipeline: PIPELINE }),
      () => Number.POSITIVE_INFINITY,
    )
    const left = pending + unacknowledged(sent, simulator.acknowledged).length
    if (left === 0) return
    if (left < fewest) since = performance.now()
    fewest = Math.min(fewest, left)
    await wait(LOOK_EVERY, undefined, { signal })
  }
}

function writeLog(ran: Run, { violations }: ReturnType<typeof judge>, { headgate }: Environment): string {
  const path = packageFile(`build/torture-${ran.seed}.log`)
  mkdirSync(packageFile('build'), { recursive: true })
  writeFileSync(path, `${chronicle(ran, violations)}\n${headgate.log().join('\n')}\n`)
  return path
}

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // What we started ends with us, but in the second case not before it notices.
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
