import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { transformSync } from 'esbuild'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../helpers/context.js'

const DAY = 24 * 3_600_000

/** Where Debian's package `faketime` has the library; the folder of the architecture is in its path. */
function libfaketime(): string | undefined {
  const folder = '/usr/lib'
  const candidates = existsSync(folder)
    ? readdirSync(folder).map((name) => join(folder, name, 'faketime', 'libfaketime.so.1'))
    : []
  return candidates.find((path) => existsSync(path))
}

const library = libfaketime()
const reason = library === undefined ? ' (skipped, because libfaketime is not installed)' : ''

/** Prints what the clock of the ledger and the wall clock show, every few milliseconds. */
const PROGRAM = `
import { LedgerClock } from './clock.mjs'
const clock = new LedgerClock(undefined)
setInterval(() => console.log(JSON.stringify(clock.reading())), 20)
`

test.skipIf(library === undefined)(
  `in a real process neither the clock nor its timers follow a wall clock that jumps by days${reason}`,
  async () => {
    const folder = temporaryDirectory()
    const source = readFileSync(new URL('../../src/ledger/clock.ts', import.meta.url), 'utf8')
    writeFileSync(join(folder, 'clock.mjs'), transformSync(source, { loader: 'ts', format: 'esm' }).code)
    writeFileSync(join(folder, 'program.mjs'), PROGRAM)
    const time = join(folder, 'time')
    writeFileSync(time, '+0')
    const child = spawn(process.execPath, [join(folder, 'program.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: time,
        FAKETIME_NO_CACHE: '1',
        // The kernel's monotonic clock does not follow the wall clock either.
        DONT_FAKE_MONOTONIC: '1',
      },
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const readings: (readonly [ledger: number, wall: number])[] = []
    const jumps = ['+2d', '-2d', '+0']
    for await (const line of createInterface({ input: child.stdout })) {
      readings.push(JSON.parse(line))
      if (readings.length % 10 > 0) continue
      const next = jumps.shift()
      if (next === undefined) break
      writeFileSync(time, next)
    }
    const walls = readings.map(([, wall]) => wall)
    const ledgers = readings.map(([ledger]) => ledger)
    expect(Math.max(...walls) - Math.min(...walls)).toBeGreaterThan(3 * DAY)
    expect(ledgers.toSorted((a, b) => a - b)).toEqual(ledgers)
    expect((ledgers.at(-1) ?? 0) - (ledgers[0] ?? 0)).toBeLessThan(60_000)
  },
)
