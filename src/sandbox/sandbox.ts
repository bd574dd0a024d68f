import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { packageFile } from '../process/package.js'
import { type Cxone, type CxoneOptions, startCxone } from './cxone.js'
import { type Exit, type HeadgateProcess, startHeadgate } from './headgate-process.js'
import { type Kafka, startKafka } from './kafka.js'
import { TOPICS, WEBHOOK_PATH } from './routes.js'

/** The shipped config file. */
export const SHIPPED_CONFIG = packageFile('plugins.config.json')

/** Headgate with its shipped config, and everything that it needs, on this machine. */
export interface Sandbox {
  readonly kafka: Kafka
  readonly cxone: Cxone
  readonly headgate: HeadgateProcess
  /** The URL to which CXone would post. */
  readonly webhook: string
  /** Stops Headgate first, while it can still reach the others; resolves to its exit. */
  stop(): Promise<Exit>
}

interface SandboxOptions {
  /** Ports of Headgate; 0 for a free one. */
  readonly port: number
  readonly adminPort: number
  /** Bearer token of the senders. */
  readonly token: string
  /** Called with each log line of Headgate. */
  readonly onLine?: (line: string) => void
  /** Behaviour of CXone. */
  readonly cxone: Pick<CxoneOptions, 'tokenLifetime' | 'faults'>
}

/** Resolves once Headgate takes events. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { port, adminPort, token, onLine } = options
  const credentials = { clientId: 'headgate-sandbox', clientSecret: randomBytes(16).toString('hex') }
  const started: (() => Promise<unknown>)[] = []
  const stopOthers = async () => {
    await Promise.all(started.map((stop) => stop()))
  }
  try {
    const kafka = await startKafka(TOPICS)
    started.push(kafka.stop)
    const cxone = await startCxone({ ...credentials, ...options.cxone })
    started.push(() => cxone.close())
    const headgate = await startHeadgate({
      config: SHIPPED_CONFIG,
      ...(onLine && { onLine }),
      env: {
        HEADGATE_PORT: String(port),
        HEADGATE_ADMIN_PORT: String(adminPort),
        KAFKA_BROKERS: kafka.bootstrap,
        CXONE_BASE_URL: cxone.url,
        CXONE_CLIENT_ID: credentials.clientId,
        CXONE_CLIENT_SECRET: credentials.clientSecret,
        WEBHOOK_TOKEN: token,
      },
    })
    const stop = () => headgate.stop().finally(stopOthers)
    return { kafka, cxone, headgate, webhook: new URL(WEBHOOK_PATH, headgate.intake).href, stop }
  } catch (error) {
    await stopOthers()
    throw error
  }
}

/** `preferred`, or 0 (any free port) if another program already listens on it. */
export async function preferredPort(preferred: number): Promise<number> {
  const server = createServer().listen(preferred, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return 0
  }
  server.close()
  await once(server, 'close')
  return preferred
}
