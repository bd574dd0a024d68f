import { randomBytes } from 'node:crypto'
import { progressBar } from '../lib/terminal/progress.js'
import { styleFor } from '../lib/terminal/style.js'
import { nowAndThen } from '../sandbox/cxone.js'
import { runDemo } from '../sandbox/demo.js'
import { report } from '../sandbox/report.js'
import { type Surroundings, startSurroundings } from '../sandbox/sandbox.js'
import { EXIT, type Io } from './command.js'

export interface Demonstration {
  readonly events: number
  readonly port: number
  readonly adminPort: number
}

/** The same events in every run. */
const SEED = 1
/** Seconds; short enough to pass while the demo runs. */
const TOKEN_LIFETIME = 2
const LINES_SHOWN = 20

/** Starts everything, posts events, and says whether all counts agree. */
export async function demonstrate({ events, port, adminPort }: Demonstration, io: Io): Promise<number> {
  const token = randomBytes(16).toString('hex')
  // Two of the one and some dozens of the other, however many events there are: a 429 slows all acknowledgements down.
  const faults = nowAndThen({
    throttled: Math.ceil(events * 0.45),
    unavailable: Math.max(10, Math.ceil(events / 40)),
  })
  io.out('Starting an embedded Kafka, a simulated CXone, and Headgate on its shipped plugins.config.json.\n')
  const cxone = { tokenLifetime: TOKEN_LIFETIME, faults }
  const surroundings = await startSurroundings({ port, adminPort, token, cxone })
  const { headgate, webhook } = surroundings
  const progress = progressBar(io.err, io.terminal.err)
  io.kill.addEventListener('abort', () => headgate.kill('SIGKILL'))
  try {
    io.out(`Posting ${events} requests to ${webhook}\n\n`)
    const { signal } = io
    const result = await runDemo(surroundings, {
      count: events,
      token,
      seed: SEED,
      signal,
      onProgress: progress.show,
    })
    progress.end()
    io.out(`${report(result, addresses(surroundings), styleFor(io.terminal.out, io.env))}\n`)
    return result.differences.length === 0 ? EXIT.ok : EXIT.wrong
  } catch (error) {
    progress.end()
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(
      [reason, 'The last that Headgate logged:', ...headgate.lines.slice(-LINES_SHOWN)].join('\n'),
    )
  } finally {
    await surroundings.stop()
  }
}

const addresses = ({ webhook, headgate }: Surroundings): string =>
  [
    'While it ran, these were its addresses; "./headgate sandbox" starts the same and stays up:',
    `  events   POST ${webhook}`,
    `  metrics  GET  ${headgate.admin}/metrics`,
    `  ready    GET  ${headgate.admin}/ready`,
  ].join('\n')
