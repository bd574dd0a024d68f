import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

/** The targets of faults. */
const VICTIMS = ['headgate', 'broker', 'cxone', 'config'] as const
type Victim = (typeof VICTIMS)[number]

export interface Options {
  /** The time of faults under load; the start, and the end until every event has its response, come on top. */
  readonly seconds: number
  readonly seed: number
  /** New events a second. */
  readonly rate: number
  readonly victims: ReadonlySet<Victim>
  /** Worker processes of Headgate. */
  readonly workers: number
  /** Instances that share an inbox; undefined for one without an inbox. */
  readonly instances: number | undefined
}

const USAGE = `npm run torture -- [options]
  --minutes M     how long faults happen under load (5)
  --seconds S     the same in seconds
  --seed N        repeats the faults and the events of the run with this seed
  --rate N        new events a second (500)
  --workers N     worker processes of Headgate (0)
  --instances N   N instances that share an inbox, and one more that comes and goes, instead of one without an inbox
  --only LIST     what faults happen to: headgate, broker, cxone, config, or several of them with commas in between (all)
`
const LARGEST_SEED = 2 ** 32 - 1

/** Throws with the usage if `args` do not match it. */
export function readOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const
  const options = {
    ...{ minutes: text, seconds: text, seed: text, rate: text, only: text },
    ...{ workers: text, instances: text },
  } as const
  try {
    const { values } = parseArgs({ args: [...args], options })
    if (values.minutes !== undefined && values.seconds !== undefined)
      throw new Error('Either --minutes or --seconds.')
    return {
      seconds:
        values.seconds === undefined
          ? 60 * number('minutes', values.minutes ?? '5', 1, 10_000)
          : number('seconds', values.seconds, 1, 100_000),
      seed: values.seed === undefined ? randomInt(1_000_000) : number('seed', values.seed, 0, LARGEST_SEED),
      rate: number('rate', values.rate ?? '500', 1, 10_000),
      workers: number('workers', values.workers ?? '0', 0, 64),
      instances: values.instances === undefined ? undefined : number('instances', values.instances, 1, 16),
      victims: new Set(values.only?.split(',').map(victim) ?? VICTIMS),
    }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

function number(name: string, text: string, from: number, to: number): number {
  const value = Number(text)
  if (!/^[0-9]+$/.test(text) || value < from || value > to)
    throw new Error(`--${name} should be a whole number from ${from} to ${to}; it is "${text}".`)
  return value
}

function victim(text: string): Victim {
  const known = VICTIMS.find((name) => name === text)
  if (known === undefined) throw new Error(`--only knows ${VICTIMS.join(', ')}; it does not know "${text}".`)
  return known
}

const ERASE_LINE = '\r\u001b[2K'
const ON_A_TERMINAL = 500
const IN_A_LOG = 10_000

/**
 * Shows a line again and again: in the same row on a terminal, below the last one elsewhere. Returns a function that
 * ends it.
 */
export function showProgress(line: () => string): () => void {
  const { isTTY } = process.stderr
  const write = isTTY
    ? () => process.stderr.write(`${ERASE_LINE}${line().slice(0, (process.stderr.columns ?? 80) - 1)}`)
    : () => process.stderr.write(`${line()}\n`)
  const timer = setInterval(write, isTTY ? ON_A_TERMINAL : IN_A_LOG)
  return () => {
    clearInterval(timer)
    if (isTTY) process.stderr.write(ERASE_LINE)
  }
}
