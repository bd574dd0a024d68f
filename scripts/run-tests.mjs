// Runs suites of tests one after another, or side by side where there are cores for it, and ends with the time of each and
// the number of tests: `node scripts/run-tests.mjs [SUITE ...]`. A failed suite does not keep the others from running.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('..', import.meta.url))

const vitest = (...projects) => ['npx', 'vitest', 'run', ...projects.flatMap((name) => ['--project', name])]

/** All that CI runs. */
const SUITES = {
  // For the chart; a suite of its own, because its first run takes minutes.
  helm: ['bash', 'test/deploy/install-helm.sh'],
  check: ['npm', 'run', 'check'],
  unit: [...vitest('unit'), '--coverage'],
  long: vitest('long'),
  e2e: vitest('e2e'),
  kafka: vitest('kafka'),
  demo: ['node', 'dist/cli.js', 'demo'],
  nodes: ['node', 'scripts/test-nodes.mjs'],
}

/** It mostly waits, for sessions and time-outs of brokers, and takes as long as all others together. */
const BESIDES = availableParallelism() > 1 ? ['kafka'] : []

const names = process.argv.slice(2)
const unknown = names.filter((name) => !Object.hasOwn(SUITES, name))
if (unknown.length > 0) {
  console.error(`There is no suite ${unknown.join(', ')}. The suites are ${Object.keys(SUITES).join(', ')}.`)
  process.exit(2)
}
const selected = Object.keys(SUITES).filter((name) => names.length === 0 || names.includes(name))

const env = { ...process.env }
// In CI nothing may be skipped.
if (env['CI'])
  for (const what of ['KAFKA', 'PROMETHEUS', 'SUITES', 'TOOLS']) env[`HEADGATE_TEST_${what}`] = 'required'

const CLOSING_LINE = /^tests: (\d+) passed, (\d+) failed, (\d+) skipped$/

const results = []
const children = new Set()
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    for (const child of children) child.kill(signal)
    process.exit(1)
  })

const built = await run('build', ['npm', 'run', 'programs'])
if (built) {
  const one = selected.filter((name) => !BESIDES.includes(name))
  const other = selected.filter((name) => BESIDES.includes(name))
  await Promise.all([oneByOne(one), oneByOne(other)])
}
report()

async function oneByOne(suites) {
  for (const name of suites) await run(name, SUITES[name])
}

/** Runs a command. Its lines carry the name of the suite, for two can run at a time. */
async function run(name, [program, ...args]) {
  const started = performance.now()
  const counts = [0, 0, 0]
  console.log(`${name}: ${[program, ...args].join(' ')}`)
  const child = spawn(program, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      const found = CLOSING_LINE.exec(line)
      if (found === null) return console.log(line === '' ? '' : `${name}: ${line}`)
      found.slice(1).forEach((count, at) => {
        counts[at] += Number(count)
      })
    })
  const code = await new Promise((resolve) => {
    child.on('error', () => resolve(1))
    child.on('close', resolve)
  })
  children.delete(child)
  results.push({ name, passed: code === 0, seconds: (performance.now() - started) / 1000, counts })
  return code === 0
}

function report() {
  const time = (seconds) =>
    `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`.padStart(6)
  const row = (...cells) =>
    console.log(
      cells.map((cell, at) => (at === 0 ? String(cell).padEnd(8) : String(cell).padStart(8))).join(''),
    )
  console.log('')
  row('suite', 'result', 'time', 'passed', 'failed', 'skipped')
  for (const { name, passed, seconds, counts } of results)
    row(name, passed ? 'passed' : 'FAILED', time(seconds), ...counts)
  row('all', '', time(performance.now() / 1000))
  // A line that scripts can read.
  const [passed, failed, skipped] = [0, 1, 2].map((at) =>
    results.reduce((sum, { counts }) => sum + counts[at], 0),
  )
  console.log(`\ntests: ${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = results.every((result) => result.passed) ? 0 : 1
}
