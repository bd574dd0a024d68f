import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { progressBar } from '../lib/terminal/progress.js'
import { type Style, styleFor } from '../lib/terminal/text.js'
import { periodicFaults } from '../sandbox/cxone.js'
import { runDemo } from '../sandbox/demo.js'
import { FEWEST_EVENTS } from '../sandbox/events.js'
import { configNews, type Exit } from '../sandbox/headgate-process.js'
import { followTopics, type ReadRecord } from '../sandbox/reader.js'
import { report } from '../sandbox/report.js'
import { exampleCommands, TOPICS } from '../sandbox/routes.js'
import { preferredPort, type Sandbox, SHIPPED_CONFIG, startSandbox } from '../sandbox/sandbox.js'
import { type Command, type CommandInput, EXIT, type Io } from './command.js'

const INTAKE_PORT = 8080
const ADMIN_PORT = 8083
const MOST_EVENTS = 1_000_000
const MOST_PORT = 65_535

export const sandboxCommand: Command = {
  name: 'sandbox',
  summary: 'Runs Headgate on its shipped config, with an embedded Kafka and a simulated CXone.',
  details: `Needs nothing else on the machine. Runs until Ctrl-C; prints a curl command for each route, and every record as it
arrives in Kafka. With --demo it posts events itself (valid, invalid and repeated ones), counts them at every step, and exits
with 0 only if all counts agree.`,
  options: [
    { flags: '--demo', description: 'Posts events, prints the counts and a verdict, and exits.' },
    { flags: '--events <number>', description: 'How many requests --demo posts.', default: '2000' },
    {
      flags: '--port <number>',
      description: 'Port of the webhook; 0 for any free one. Default: 8080 if it is free.',
    },
    {
      flags: '--admin-port <number>',
      description: 'Port of the metrics; 0 for any free one. Default: 8083 if it is free.',
    },
  ],
  async run({ options }, io) {
    const read = readOptions(options)
    if (!read.ok) {
      io.err(`${read.complaints.join('\n')}\n`)
      return EXIT.usage
    }
    const { events, port, adminPort } = read
    try {
      if (options['demo'] === true)
        return await runSandboxDemo({ events, port: port ?? 0, adminPort: adminPort ?? 0 }, io)
      const ports = {
        port: port ?? (await preferredPort(INTAKE_PORT)),
        adminPort: adminPort ?? (await preferredPort(ADMIN_PORT)),
      }
      return await runSandbox(ports, io)
    } catch (error) {
      io.err(io.signal.aborted ? 'Stopped.\n' : `${error instanceof Error ? error.message : error}\n`)
      return EXIT.wrong
    }
  },
}

function readOptions(options: CommandInput['options']) {
  const complaints: string[] = []
  const whole = (flag: string, text: unknown, from: number, to: number): number | undefined => {
    if (text === undefined) return undefined
    const value = Number(text)
    if (/^[0-9]+$/.test(String(text)) && value >= from && value <= to) return value
    complaints.push(`${flag} should be a whole number from ${from} to ${to}; it is ${JSON.stringify(text)}.`)
    return undefined
  }
  const events = whole('--events', options['events'], FEWEST_EVENTS, MOST_EVENTS) ?? FEWEST_EVENTS
  const port = whole('--port', options['port'], 0, MOST_PORT)
  const adminPort = whole('--admin-port', options['adminPort'], 0, MOST_PORT)
  return complaints.length > 0
    ? ({ ok: false, complaints } as const)
    : ({ ok: true, events, port, adminPort } as const)
}

export interface DemoOptions {
  readonly events: number
  readonly port: number
  readonly adminPort: number
}

/** The events are the same in every run. */
const SEED = 1
/** Seconds; short enough to expire while the demo runs. */
const DEMO_TOKEN_LIFETIME = 2
const LINES_SHOWN = 20

/** Starts everything, posts events, and reports whether all counts agree. */
export async function runSandboxDemo({ events, port, adminPort }: DemoOptions, io: Io): Promise<number> {
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

/** A constant, so that a command from the history of a shell still works. It gives access to the sandbox only. */
const TOKEN = 'sandbox'
/** Seconds; the shortest realistic lifetime, so that renewals can be observed. */
const STAY_TOKEN_LIFETIME = 60

/** Starts everything, prints how to use it, and shows records as they arrive, until it is stopped. */
export async function runSandbox(
  ports: { readonly port: number; readonly adminPort: number },
  io: Io,
): Promise<number> {
  const faults = periodicFaults({ throttled: 50, unavailable: 20 })
  const cxone = { tokenLifetime: STAY_TOKEN_LIFETIME, faults }
  io.out('Starting an embedded Kafka, a simulated CXone, and Headgate.\n')
  const onLine = (line: string) => {
    const news = configNews(line)
    if (news !== undefined) io.out(`Headgate: ${news}\n`)
  }
  const sandbox = await startSandbox({ ...ports, token: TOKEN, cxone, onLine })
  const { headgate, kafka } = sandbox
  io.kill.addEventListener('abort', () => headgate.kill('SIGKILL'))
  try {
    io.out(instructions(sandbox, styleFor(io.terminal.out, io.env)))
    const reader = await followTopics(kafka.bootstrap, TOPICS, (record) => io.out(recordLine(record)))
    if (!io.signal.aborted) await Promise.race([once(io.signal, 'abort'), headgate.exited])
    const hasExited = !io.signal.aborted
    if (!hasExited) io.out('\nStopping.\n')
    const exit = await headgate.stop()
    await reader.close()
    if (hasExited || exit.code !== 0) io.err(failure(exit, headgate.lines))
    return hasExited || exit.code !== 0 ? EXIT.wrong : EXIT.ok
  } finally {
    await sandbox.stop()
  }
}

function instructions({ webhook, headgate, kafka, cxone }: Sandbox, style: Style): string {
  const examples = exampleCommands(webhook, TOKEN).map(
    ({ title, command }) => `${style('bold', `# ${title}`)}\n${command}\n`,
  )
  return `
Headgate runs on ${SHIPPED_CONFIG}

Post an event to it; if you post it again, the response is "duplicate" and there is no second record:

${examples.join('\n')}
metrics           ${headgate.admin}/metrics
ready             ${headgate.admin}/ready
Kafka             ${kafka.bootstrap} (for any Kafka client; topics ${TOPICS.join(', ')})
acknowledgements  ${cxone.url}/simulator/report (as counted by the simulated CXone)

Press Ctrl-C to stop everything. Records appear here as they arrive in Kafka, and the results of reloads of the config file:

`
}

function recordLine({ topic, partition, offset, key, headers }: ReadRecord): string {
  const route = headers['headgate-route'] ?? 'none'
  return `${topic}  partition ${partition}  offset ${offset}  key ${key ?? 'none'}  route ${route}\n`
}

const failure = ({ code, signal }: Exit, lines: readonly string[]): string =>
  [`Headgate ended with ${signal ?? `exit code ${code}`}.`, ...lines.slice(-LINES_SHOWN), ''].join('\n')
