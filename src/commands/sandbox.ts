import { once } from 'node:events'
import { type Style, styleFor } from '../lib/terminal/text.js'
import { SENDERS, senderOf } from '../plugins/source/http-webhook/senders/index.js'
import { periodicFaults } from '../sandbox/cxone.js'
import { configNews } from '../sandbox/headgate-process.js'
import { followTopics } from '../sandbox/reader.js'
import { exampleCommands, TOPICS } from '../sandbox/routes.js'
import { preferredPort, type Sandbox, SHIPPED_CONFIG, startSandbox } from '../sandbox/sandbox.js'
import { type Command, EXIT, type Io } from './command.js'
import { failure, recordLine } from './sandbox-output.js'
import { runSenderSandbox } from './sandbox-sender.js'
import { unknownSender } from './senders.js'
import { readWholeNumbers } from './whole-numbers.js'

const INTAKE_PORT = 8080
const ADMIN_PORT = 8083
/** A port of 0 is any free one. */
export const PORTS = {
  port: { flag: '--port', from: 0, to: 65_535 },
  adminPort: { flag: '--admin-port', from: 0, to: 65_535 },
}

export const sandboxCommand: Command = {
  name: 'sandbox',
  summary: 'Runs Headgate on its shipped config, with an embedded Kafka and a simulated CXone.',
  details: `Needs nothing else on the machine. Runs until Ctrl-C; prints the address of the console, a curl command for each
route, and every record as it arrives in Kafka. With --sender, a simulated sender of that name sends events to a config of its own
instead, and proves them as that sender does, with a secret that is made at the start.

  headgate sandbox
  headgate sandbox --sender stripe`,
  options: [
    {
      flags: '--sender <name>',
      description: 'The sender to simulate; "headgate senders" lists them.',
      choices: SENDERS.map(({ name }) => name),
    },
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
    const read = readWholeNumbers(options, PORTS)
    if (!read.ok) {
      io.err(`${read.complaints.join('\n')}\n`)
      return EXIT.usage
    }
    const name = options['sender'] as string | undefined
    const sender = senderOf(name)
    if (name !== undefined && sender === undefined) {
      io.err(`${unknownSender(name)}\n`)
      return EXIT.usage
    }
    const { port, adminPort } = read.values
    try {
      const ports = {
        port: port ?? (await preferredPort(INTAKE_PORT)),
        adminPort: adminPort ?? (await preferredPort(ADMIN_PORT)),
      }
      return await (sender === undefined ? runSandbox(ports, io) : runSenderSandbox(sender, ports, io))
    } catch (error) {
      io.err(io.signal.aborted ? 'Stopped.\n' : `${error instanceof Error ? error.message : error}\n`)
      return EXIT.wrong
    }
  },
}

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
${style('bold', 'Console')}           ${headgate.admin}/console

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
