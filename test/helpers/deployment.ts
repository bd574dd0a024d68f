import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Cxone, type CxoneOptions, startCxone } from '../../src/sandbox/cxone.js'
import {
  type HeadgateOptions,
  type HeadgateProcess,
  startHeadgate,
} from '../../src/sandbox/headgate-process.js'
import { type ReadRecord, readTopics } from '../../src/sandbox/reader.js'
import { SHIPPED_CONFIG } from '../../src/sandbox/surroundings.js'
import { temporaryDirectory } from './context.js'
import { createTopic } from './kafka-topics.js'

/** Headgate on the shipped config, but with topics of its own, between a Kafka and a simulated CXone. */
export interface Deployment {
  readonly headgate: HeadgateProcess
  readonly cxone: Cxone
  readonly stateDirectory: string
  /** Ends Headgate, and waits until it has ended. */
  end(signal: NodeJS.Signals): Promise<void>
  /** Starts it again, on the same config and state directory. */
  start(): Promise<void>
  /** What the names of its topics start with, instead of `cxone.data.actions`. */
  readonly prefix: string
  post(body: string | Buffer, headers?: { readonly [name: string]: string }): Promise<Answer>
  records(): Promise<ReadRecord[]>
  ready(): Promise<{ readonly status: number; readonly reasons: readonly string[] }>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: { readonly [member: string]: unknown }
}

export interface DeploymentOptions {
  /** What is to be replaced in the text of the shipped config. */
  readonly config?: (text: string) => string
  readonly cxone?: Pick<CxoneOptions, 'tokenLifetime' | 'faults'>
  /** The routes whose topic is not created. */
  readonly without?: readonly string[]
  readonly until?: HeadgateOptions['until']
}

const TOKEN = 'test-webhook-token'
const ROUTES = ['high', 'eu', 'default', 'dlq']

export async function deploy(bootstrap: string, options: DeploymentOptions = {}): Promise<Deployment> {
  const { config = (text) => text, without = [], cxone: cxoneOptions = {}, until = 'ready' } = options
  const prefix = `test-${randomUUID()}`
  const topics = ROUTES.filter((route) => !without.includes(route)).map((route) => `${prefix}.${route}`)
  for (const topic of topics) await createTopic(bootstrap, topic, { partitions: 3 })

  const cxone = await startCxone({ clientId: 'test-client', clientSecret: 'test-secret', ...cxoneOptions })
  onTestFinished(() => cxone.close())
  const file = configFile(
    config(readFileSync(SHIPPED_CONFIG, 'utf8')).replaceAll('cxone.data.actions', prefix),
  )
  const stateDirectory = temporaryDirectory()
  const start = () =>
    startHeadgate({
      config: file,
      env: { ...environment(bootstrap, cxone), HEADGATE_STATE_DIR: stateDirectory },
      until,
    })
  let headgate = await start()
  onTestFinished(() => void headgate.kill('SIGKILL'))
  return {
    get headgate() {
      return headgate
    },
    cxone,
    stateDirectory,
    async end(signal) {
      headgate.kill(signal)
      await headgate.exited
    },
    async start() {
      headgate = await start()
    },
    prefix,
    async post(body, headers = {}) {
      const all = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers }
      const url = new URL('/webhook/cxone/data-actions', headgate.intake)
      const response = await fetch(url, { method: 'POST', body, headers: all })
      return {
        status: response.status,
        headers: response.headers,
        body: (await response.json()) as Answer['body'],
      }
    },
    records: () => readTopics(bootstrap, topics),
    async ready() {
      const response = await fetch(new URL('/ready', headgate.admin))
      const { reasons } = (await response.json()) as { reasons: string[] }
      return { status: response.status, reasons }
    },
  }
}

export const environment = (
  bootstrap: string,
  { url }: { readonly url: string },
): { readonly [name: string]: string } => ({
  KAFKA_BROKERS: bootstrap,
  CXONE_BASE_URL: url,
  CXONE_CLIENT_ID: 'test-client',
  CXONE_CLIENT_SECRET: 'test-secret',
  WEBHOOK_TOKEN: TOKEN,
})

/** The schema file keeps its place. */
function configFile(text: string): string {
  const folder = temporaryDirectory({
    'plugins.config.json': text.replaceAll('./schemas/', `${resolve('schemas')}/`),
  })
  return join(folder, 'plugins.config.json')
}

/** The text of an event as CXone posts it; `payload` is JSON text and stays as it is. */
export const eventText = (id: string, payload: string): string =>
  `{"dataActionId":${JSON.stringify(id)},"eventType":"DataActionCreated","timestamp":"2026-01-02T03:04:05Z","payload":${payload}}`
