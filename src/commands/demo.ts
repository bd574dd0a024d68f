import { randomBytes } from 'node:crypto'
import { progressBar } from '../lib/terminal/progress.js'
import { styleFor } from '../lib/terminal/text.js'
import { periodicFaults } from '../sandbox/cxone.js'
import { runDemo } from '../sandbox/demo.js'
import { FEWEST_EVENTS } from '../sandbox/events.js'
import { report } from '../sandbox/report.js'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.js'
import { type Command, EXIT, type Io } from './command.js'
import { PORTS } from './sandbox.js'
import { LINES_SHOWN } from './sandbox-output.js'
import { readWholeNumbers } from './whole-numbers.js'

const NUMBERS = { events: { flag: '--events', from: FEWEST_EVENTS, to: 1_000_000 }, ...PORTS }

export const demoCommand: Command = {
  name: 'demo',
  summary: 'Posts events to Headgate in a sandbox, counts them at every step, and ends with a verdict.',
  details: `Needs nothing else on the machine: it starts an embedded Kafka, a simulated CXone, and Headgate on its shipped config.
Some events are invalid, some are repeated. Exits with 0 only if all counts agree.`,
  options: [
    { flags: '--events <number>', description: 'How many requests it posts.', default: '2000' },
    { flags: '--port <number>', description: 'Port of the webhook. Default: any free one.' },
    { flags: '--admin-port <number>', description: 'Port of the metrics. Default: any free one.' },
  ],
  async run({ options }, io) {
    const read = readWholeNumbers(options, NUMBERS)
    if (!read.ok) {
      io.err(`${read.complaints.join('\n')}\n`)
      return EXIT.usage
    }
    const { events = FEWEST_EVENTS, port = 0, adminPort = 0 } = read.values
    try {
      return await run({ events, port, adminPort }, io)
    } catch (error) {
      io.err(io.signal.aborted ? 'Stopped.\n' : `${error instanceof Error ? error.message : error}\n`)
      return EXIT.wrong
    }
  },
}

interface DemoOptions {
  readonly events: number
  readonly port: number
  readonly adminPort: number
}

/** The events are the same in every run. */
const SEED = 1
/** Seconds; short enough to expire while the demo runs. */
const DEMO_TOKEN_LIFETIME = 2

/** Starts everything, posts events, and reports whether all counts agree. */
async function run({ events, port, adminPort }: DemoOptions, io: Io): Promise<number> {
  const token = randomBytes(16).toString('hex')
  // Two 429 and some dozens of 503, independent of the number of events, because a 429 delays all acknowledgements.
  const faults = periodicFaults({
    throttled: Math.ceil(events * 0.45),
    unavailable: Math.max(10, Math.ceil(events / 40)),
  })
  io.out('Starting an embedded Kafka, a simulated CXone, and Headgate on its shipped plugins.config.json.\n')
  const cxone = { tokenLifetime: DEMO_TOKEN_LIFETIME, faults }
  const sandbox = await startSandbox({ port, adminPort, token, cxone })
  const { headgate, webhook } = sandbox
  const progress = progressBar(io.err, io.terminal.err)
  io.kill.addEventListener('abort', () => headgate.kill('SIGKILL'))
  try {
    io.out(`Posting ${events} requests to ${webhook}\n\n`)
    const { signal } = io
    const result = await runDemo(sandbox, {
      count: events,
      token,
      seed: SEED,
      signal,
      onProgress: progress.show,
    })
    progress.end()
    io.out(`${report(result, addresses(sandbox), styleFor(io.terminal.out, io.env))}\n`)
    return result.differences.length === 0 ? EXIT.ok : EXIT.wrong
  } catch (error) {
    progress.end()
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(
      [reason, 'The last log lines of Headgate:', ...headgate.lines.slice(-LINES_SHOWN)].join('\n'),
    )
  } finally {
    await sandbox.stop()
  }
}

const addresses = ({ webhook, headgate }: Sandbox): string =>
  [
    'These addresses were used; "./headgate sandbox" starts the same and keeps running:',
    `  events   POST ${webhook}`,
    `  metrics  GET  ${headgate.admin}/metrics`,
    `  ready    GET  ${headgate.admin}/ready`,
  ].join('\n')
