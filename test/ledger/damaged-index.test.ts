import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../helpers/context.js'
import type { MemoryLog } from '../helpers/kafka/memory-log.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { openLedger, type TestLedger } from './setup.js'

const PAGE = 4096
const EVENTS = 630
const LIMITS = { entries: 5000, maxPending: 5000, window: 3_600_000 }
const SEEDS = 25
/** Milliseconds for fifty starts of a kind, on a busy machine. */
const WITHIN = 120_000

/** The index at three moments, each after an orderly stop, and the log that it describes. */
let moments: readonly Buffer[] = []
let kafka: MemoryLog

/** Created once, by the first test that needs it. */
async function prepare(): Promise<void> {
  if (moments.length > 0) return
  let directory: string | undefined
  const taken: Buffer[] = []
  for (let from = 0; from < EVENTS; from += EVENTS / 3) {
    const ledger: TestLedger = await openLedger({
      ...LIMITS,
      ...(directory !== undefined && { directory, kafka }),
    })
    directory = ledger.directory
    kafka = ledger.kafka
    for (let n = from; n < from + EVENTS / 3; n++) await ledger.take(eventOf(String(n)))
    // Every third is acknowledged, one in a hundred has failed.
    for (let n = 0; n < EVENTS / 9; n++) {
      const pending = ledger.due()
      if (pending === undefined) throw new Error('nothing is pending')
      if (n % 35 === 0) ledger.ledger.failed(pending, { code: 'HG_ACK_GAVE_UP', message: '404' })
      else ledger.ledger.acknowledged(pending)
    }
    await ledger.stop()
    taken.push(readFileSync(join(directory, 'ledger.mdb')))
  }
  moments = taken
}

/** mulberry32: the same damage in every run. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

type Random = (below: number) => number
const newest = (): Buffer => Buffer.from(moments[2] as Buffer)
const pagesIn = (file: Buffer): number => file.length / PAGE
const page = (file: Buffer, number: number): Buffer => file.subarray(number * PAGE, (number + 1) * PAGE)
const bytes = (random: Random, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => random(256)))

/** Pages of two moments, `older` out of ten those of the one before. */
const torn =
  (older: number) =>
  (random: Random): Buffer => {
    const file = newest()
    const before = moments[random(2)] as Buffer
    for (let number = 0; number < pagesIn(before); number++) {
      if (random(10) < older) page(before, number).copy(page(file, number))
    }
    return file
  }
const damaged =
  (times: number, how: (file: Buffer, random: Random) => void) =>
  (random: Random): Buffer => {
    const file = newest()
    for (let time = 0; time < times; time++) how(file, random)
    return file
  }

const KINDS: Record<string, (random: Random) => Buffer> = {
  'with a few pages of an earlier moment': torn(1),
  'with half of its pages of an earlier moment': torn(5),
  'with one flipped bit': damaged(1, (file, random) => {
    const at = random(file.length)
    file[at] = (file[at] as number) ^ (1 << random(8))
  }),
  'with random bytes in some places': damaged(8, (file, random) => {
    bytes(random, 1 + random(16)).copy(file, random(file.length))
  }),
  'with damage in its headers of pages': damaged(4, (file, random) => {
    bytes(random, 1 + random(4)).copy(page(file, random(pagesIn(file))), random(32))
  }),
  'with pages of random bytes': damaged(2, (file, random) => {
    bytes(random, PAGE).copy(page(file, random(pagesIn(file))))
  }),
  'with pages of zeros': damaged(3, (file, random) => void page(file, random(pagesIn(file))).fill(0)),
  'with two pages exchanged': damaged(1, (file, random) => {
    const [a, b] = [page(file, random(pagesIn(file))), page(file, random(pagesIn(file)))]
    const before = Buffer.from(a)
    b.copy(a)
    before.copy(b)
  }),
  'that is cut short': (random) => newest().subarray(0, random(newest().length)),
  'whose end is zeros': (random) => newest().fill(0, random(newest().length)),
}

/** A start on it has the events of the log, and no others; pending acknowledgements stay pending. */
async function requireWorking(directory: string): Promise<void> {
  const after = await openLedger({ ...LIMITS, directory, kafka })
  const records = kafka.records.length
  expect(after.ledger.backlog().count).toBeGreaterThanOrEqual(EVENTS - EVENTS / 3)
  for (let n = 0; n < EVENTS; n += 29) {
    expect(await after.take(eventOf(String(n)))).toMatchObject({ kind: 'duplicate', receipt: { offset: n } })
  }
  expect(kafka.records).toHaveLength(records)
  await after.stop()
}

for (const [kind, damage] of Object.entries(KINDS)) {
  test(
    `an index ${kind} ends in a working ledger, at this start and the next`,
    async () => {
      await prepare()
      for (let seed = 0; seed < SEEDS; seed++) {
        const directory = temporaryDirectory()
        writeFileSync(join(directory, 'ledger.mdb'), damage(randomOf(seed)))
        await requireWorking(directory)
        await requireWorking(directory)
      }
    },
    WITHIN,
  )
}
