import { once } from 'node:events'
import { type Style, styleFor } from '../lib/terminal/style.js'
import { nowAndThen } from '../sandbox/cxone.js'
import { exampleCommands } from '../sandbox/examples.js'
import { configNews } from '../sandbox/headgate-log.js'
import type { Exit } from '../sandbox/headgate-process.js'
import { followTopics, type ReadRecord } from '../sandbox/reader.js'
import { TOPICS } from '../sandbox/routes.js'
import { SHIPPED_CONFIG, type Surroundings, startSurroundings } from '../sandbox/sandbox.js'
import { EXIT, type Io } from './command.js'

/** The same in every run, so that a command from a shell's history still works. It opens nothing but the sandbox. */
const TOKEN = 'sandbox'
/** Seconds; as short as a real one may be, so that tokens are seen to be renewed. */
const TOKEN_LIFETIME = 60
const LINES_SHOWN = 20

/** Starts everything, says how to use it, and shows records as they arrive, until it is told to stop. */
export async function stayUp(
  ports: { readonly port: number; readonly adminPort: number },
  io: Io,
): Promise<number> {
  const faults = nowAndThen({ throttled: 50, unavailable: 20 })
  const cxone = { tokenLifetime: TOKEN_LIFETIME, faults }
  io.out('Starting an embedded Kafka, a simulated CXone, and Headgate.\n')
  const onLine = (line: string) => {
    const news = configNews(line)
    if (news !== undefined) io.out(`Headgate: ${news}\n`)
  }
  const surroundings = await startSurroundings({ ...ports, token: TOKEN, cxone, onLine })
  const { headgate, kafka } = surroundings
  io.kill.addEventListener('abort', () => headgate.kill('SIGKILL'))
  try {
    io.out(instructions(surroundings, styleFor(io.terminal.out, io.env)))
    const reader = await followTopics(kafka.bootstrap, TOPICS, (record) => io.out(recordLine(record)))
    if (!io.signal.aborted) await Promise.race([once(io.signal, 'abort'), headgate.exited])
    const unasked = !io.signal.aborted
    if (!unasked) io.out('\nStopping.\n')
    const exit = await headgate.stop()
    await reader.close()
    if (unasked || exit.code !== 0) io.err(failure(exit, headgate.lines))
    return unasked || exit.code !== 0 ? EXIT.wrong : EXIT.ok
  } finally {
    await surroundings.stop()
  }
}

function instructions({ webhook, headgate, kafka, cxone }: Surroundings, style: Style): string {
  const examples = exampleCommands(webhook, TOKEN).map(
    ({ title, command }) => `${style('bold', `# ${title}`)}\n${command}\n`,
  )
  return `
Headgate runs on ${SHIPPED_CONFIG}

Post an event to it; the same one again is answered "duplicate" and is no second record:

${examples.join('\n')}
metrics           ${headgate.admin}/metrics
ready             ${headgate.admin}/ready
Kafka             ${kafka.bootstrap} (for any Kafka client; topics ${TOPICS.join(', ')})
acknowledgements  ${cxone.url}/simulator/report (what the simulated CXone has seen)

Press Ctrl-C to stop everything. Records appear here as they arrive in Kafka, and what becomes of changes to the config file:

`
}

function recordLine({ topic, partition, offset, key, headers }: ReadRecord): string {
  const route = headers['headgate-route'] ?? 'none'
  return `${topic}  partition ${partition}  offset ${offset}  key ${key ?? 'none'}  route ${route}\n`
}

const failure = ({ code, signal }: Exit, lines: readonly string[]): string =>
  [`Headgate ended with ${signal ?? `exit code ${code}`}.`, ...lines.slice(-LINES_SHOWN), ''].join('\n')
