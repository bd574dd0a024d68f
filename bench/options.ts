import { parseArgs } from 'node:util'

type Mode = 'quick' | 'full' | 'sizes' | 'soak' | 'pending' | 'inbox' | 'sources' | 'console'

export interface Options {
  readonly mode: Mode
  readonly rounds: number
  readonly seconds: number
  readonly inFlight: number
  /** The shipped config, which has a JSONata rule, instead of the one that matches the work of the floor. */
  readonly jsonata: boolean
  /** Also Headgate without its ledger. */
  readonly ledger: boolean
  /** Also this revision of Headgate. */
  readonly against: string | undefined
  /** Also Headgate with this number of workers, and with one; 0: neither. */
  readonly workers: number
  /** The number of JSONata rules of the config; 0: the usual config. */
  readonly rules: number
  /** The number of events of the soak. */
  readonly events: number
  /** The number of pending acknowledgements when Headgate starts. */
  readonly pending: number
  /** The soak with an inbox. */
  readonly inbox: boolean
  /** A folder for the figures as JSON and plots; undefined: they are only shown. */
  readonly out: string | undefined
  /** Writes the figures into `docs/performance.md`, too. */
  readonly docs: boolean
  /** A folder for CPU profiles of all programs. */
  readonly profile: string | undefined
}

const USAGE = `npm run bench -- [options]
  --full          fixed rates, idleness, memory and start, too: some ten minutes
  --sizes         instead: cost against the size of payloads and the number of rules and pipelines
  --soak N        instead: N events, and whether memory stays flat; such as 10000000
  --pending N     instead: a start with N pending acknowledgements, and how fast they are made; such as 5000000
  --inbox         instead: a pipeline without an inbox, with one, and with two instances; and the end of an instance;
                  with --soak: a pipeline with an inbox
  --sources       instead: the cost of a signature (HMAC), of a form, and of an event in a batch (split)
  --console       instead: whether the console stays smooth when it has much to show, and its cost (needs Chromium)
  --rounds N      how often each program is measured (3; --sizes 1)
  --seconds N     how long each time (5; --full, --pending, --inbox, --sources, --console 10; --sizes 3)
  --in-flight N   events in flight at saturation, for each instance (64; --soak 500)
  --jsonata       the shipped config, one of whose rules is JSONata, instead of the one that does the floor's work
  --ledger        Headgate without its ledger, as one more program
  --workers N     Headgate with one worker and with N, as two more programs
  --rules N       a config with N JSONata rules, the last of which matches; without the floor, which has none
  --against REF   Headgate as it was at a revision, as one more program
  --out DIR       writes the figures as JSON, and plots, to a folder
  --docs          writes them to docs/performance/, and their tables into docs/performance.md
  --profile DIR   writes a CPU profile of each program for each round, for speedscope or Chrome's developer tools
`

const DOCS_FOLDER = 'docs/performance'
const PRESETS: { readonly [mode in Mode]: { rounds: number; seconds: number; inFlight: number } } = {
  quick: { rounds: 3, seconds: 5, inFlight: 64 },
  full: { rounds: 3, seconds: 10, inFlight: 64 },
  sizes: { rounds: 1, seconds: 3, inFlight: 64 },
  soak: { rounds: 1, seconds: 1, inFlight: 500 },
  pending: { rounds: 1, seconds: 10, inFlight: 64 },
  inbox: { rounds: 3, seconds: 10, inFlight: 64 },
  sources: { rounds: 3, seconds: 10, inFlight: 64 },
  console: { rounds: 3, seconds: 10, inFlight: 64 },
}

/** Throws with the usage if `args` do not match it. */
export function readOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = {
    full: flag,
    sizes: flag,
    soak: text,
    pending: text,
    inbox: flag,
    sources: flag,
    console: flag,
    rounds: text,
    seconds: text,
    'in-flight': text,
    jsonata: flag,
    ledger: flag,
    against: text,
    workers: text,
    rules: text,
    out: text,
    docs: flag,
    profile: text,
  } as const
  try {
    const { values } = parseArgs({ args: [...args], options })
    const { soak, pending, docs = false } = values
    // With a soak, it is no run of its own.
    const inbox = values.inbox && soak !== undefined
    const modes = (['full', 'sizes', 'soak', 'pending', 'inbox', 'sources', 'console'] as const).filter(
      (name) => values[name] && !(name === 'inbox' && inbox),
    )
    if (modes.length > 1) throw new Error(`--${modes.join(' and --')} are runs of their own.`)
    const [mode = 'quick'] = modes
    const preset = PRESETS[mode]
    if (docs && mode === 'quick')
      throw new Error('--docs needs --full, --sizes, --soak, --pending, --inbox, --sources or --console.')
    if (docs && values.out !== undefined) throw new Error('Either --docs or --out.')
    const { ledger = false, against, workers, rules } = values
    const more = ledger || against !== undefined || workers !== undefined || rules !== undefined
    if (mode !== 'quick' && mode !== 'full' && more)
      throw new Error(`--${mode} measures Headgate as it is: no --ledger, --against, --workers or --rules.`)
    return {
      mode,
      rounds: count('rounds', values.rounds, preset.rounds),
      seconds: count('seconds', values.seconds, preset.seconds),
      inFlight: count('in-flight', values['in-flight'], preset.inFlight),
      jsonata: values.jsonata ?? false,
      ledger,
      against,
      workers: count('workers', workers, 0),
      rules: count('rules', rules, 0),
      events: count('soak', soak, 0),
      pending: count('pending', pending, 0),
      inbox: inbox ?? false,
      out: docs ? DOCS_FOLDER : values.out,
      docs,
      profile: values.profile,
    }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

function count(name: string, text: string | undefined, preset: number): number {
  if (text === undefined) return preset
  if (!/^[1-9][0-9]{0,9}$/.test(text))
    throw new Error(`--${name} should be a whole number from 1 on; it is "${text}".`)
  return Number(text)
}
