import { parseArgs } from 'node:util'

export interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly inFlight: number
  /** The shipped config, one of whose rules is JSONata, instead of the one that does the floor's work. */
  readonly jsonata: boolean
  /** Where the figures go as JSON. */
  readonly json: string | undefined
  /** A folder for CPU profiles of both programs. */
  readonly profile: string | undefined
}

const USAGE = `npm run bench -- [options]
  --rounds N      how often each program is measured (3)
  --seconds N     how long each time (5)
  --in-flight N   events in flight (64)
  --jsonata       the shipped config, one of whose rules is JSONata, instead of the one that does the floor's work
  --json FILE     writes all figures to a file
  --profile DIR   writes a CPU profile of each program for each round, for speedscope or Chrome's developer tools
`

/** Throws with the usage where `args` do not fit it. */
export function readOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const
  const options = {
    rounds: text,
    seconds: text,
    'in-flight': text,
    json: text,
    profile: text,
    jsonata: { type: 'boolean' },
  } as const
  try {
    const { values } = parseArgs({ args: [...args], options })
    return {
      rounds: count('rounds', values.rounds, 3),
      seconds: count('seconds', values.seconds, 5),
      inFlight: count('in-flight', values['in-flight'], 64),
      jsonata: values.jsonata ?? false,
      json: values.json,
      profile: values.profile,
    }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

function count(name: string, text: string | undefined, preset: number): number {
  if (text === undefined) return preset
  if (!/^[1-9][0-9]{0,4}$/.test(text))
    throw new Error(`--${name} should be a whole number from 1 on; it is "${text}".`)
  return Number(text)
}
