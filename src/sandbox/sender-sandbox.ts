import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Exit, type HeadgateProcess, startHeadgate } from './headgate-process.js'
import { type Kafka, startKafka } from './kafka.js'

/** Headgate with the config of a sender, and an embedded Kafka. */
export interface SenderSandbox {
  readonly kafka: Kafka
  readonly headgate: HeadgateProcess
  /** Stops Headgate first, while it can still reach Kafka; resolves to its exit. */
  stop(): Promise<Exit>
}

export interface SenderSandboxOptions {
  /** Ports of Headgate; 0 for a free one. */
  readonly port: number
  readonly adminPort: number
  readonly config: object
  /** The variables that the config refers to, but for the addresses of Kafka. */
  readonly variables: { readonly [name: string]: string }
  readonly topics: readonly string[]
  readonly onLine: (line: string) => void
}

/** Resolves once Headgate takes events. */
export async function startSenderSandbox(options: SenderSandboxOptions): Promise<SenderSandbox> {
  const { port, adminPort, config, variables, topics, onLine } = options
  const folder = await mkdtemp(join(tmpdir(), 'headgate-sandbox-'))
  let kafka: Kafka | undefined
  const stopOthers = async () => {
    await kafka?.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const file = join(folder, 'plugins.config.json')
    await writeFile(file, JSON.stringify(config, undefined, 2))
    kafka = await startKafka(topics)
    const headgate = await startHeadgate({
      config: file,
      onLine,
      env: {
        ...variables,
        HEADGATE_PORT: String(port),
        HEADGATE_ADMIN_PORT: String(adminPort),
        KAFKA_BROKERS: kafka.bootstrap,
      },
    })
    return { kafka, headgate, stop: () => headgate.stop().finally(stopOthers) }
  } catch (error) {
    await stopOthers()
    throw error
  }
}

/** A request as it goes over the wire. */
export interface SentRequest {
  readonly method: string
  /** Without the question mark. */
  readonly query: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/** The side of the sender: makes requests that prove it. */
export interface SimulatedSender {
  /** Absent if the sender does not register its URL. */
  readonly registration?: () => SentRequest
  /** An event with an id, or another value of its own. */
  event(id: string): SentRequest
}

/** Milliseconds. */
const EVERY = 1000
/** Every so many events, the same one is delivered again. */
const REDELIVERED = 5

/** Registers the URL, and then sends an event every second until `ended`; `report` gets a line for each response. */
export async function sendEvents(
  url: string,
  sender: SimulatedSender,
  report: (line: string) => void,
  ended: AbortSignal,
  every = EVERY,
): Promise<void> {
  const send = async (name: string, request: SentRequest) => {
    const response = await post(url, request, ended)
    report(`${name}: ${response}`)
  }
  try {
    if (sender.registration !== undefined) await send('registration', sender.registration())
    for (let n = 1; ; n++) {
      const id = randomUUID()
      await send(`event ${n}`, sender.event(id))
      if (n % REDELIVERED === 0) await send(`event ${n}, delivered again`, sender.event(id))
      await wait(every, undefined, { signal: ended })
    }
  } catch (error) {
    if (!ended.aborted) throw error
  }
}

/** The status of the response, with the outcome or the reason if its body has one. */
async function post(
  url: string,
  { method, query, headers, body }: SentRequest,
  signal: AbortSignal,
): Promise<string> {
  const target = query === '' ? url : `${url}?${query}`
  const response = await fetch(target, { method, headers, signal, ...(body !== '' && { body }) })
  const text = await response.text()
  return [response.status, ...reasonIn(text)].join(' ')
}

function reasonIn(text: string): string[] {
  try {
    const { outcome, detail } = JSON.parse(text) as { readonly outcome?: string; readonly detail?: string }
    return [outcome ?? detail ?? []].flat()
  } catch {
    return []
  }
}
