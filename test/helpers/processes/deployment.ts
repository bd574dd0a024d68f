import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Cxone, type CxoneOptions, startCxone } from '../../../src/sandbox/cxone.js'
import {
  type HeadgateOptions,
  type HeadgateProcess,
  startHeadgate,
} from '../../../src/sandbox/headgate-process.js'
import { type ReadRecord, readTopics } from '../../../src/sandbox/reader.js'
import { PIPELINE } from '../../../src/sandbox/routes.js'
import { SHIPPED_CONFIG } from '../../../src/sandbox/sandbox.js'
import { temporaryDirectory } from '../context.js'
import { createTopic } from '../kafka/topics.js'
import type { AtEnd } from '../lasting.js'

/** Headgate on the shipped config, but with topics of its own, between a Kafka and a simulated CXone. */
export interface Deployment {
  readonly headgate: HeadgateProcess
  readonly cxone: Cxone
  readonly stateDirectory: string
  /** The path of its config file, and the environment that the file needs. */
  readonly configFile: string
  readonly environment: { readonly [name: string]: string }
  /** Ends Headgate, and waits until it has ended. Rejects if it crashes instead. */
  end(signal: NodeJS.Signals): Promise<void>
  /** Starts it again, on the same config and state directory. */
  start(until?: Until): Promise<void>
  /** The prefix of the names of its topics, instead of `cxone.data.actions`. */
  readonly prefix: string
  /** A name of its own, because instances of one pipeline stand by for each other. */
  readonly pipeline: string
  post(body: string | Buffer, headers?: { readonly [name: string]: string }): Promise<WebhookResponse>
  records(): Promise<ReadRecord[]>
  ready(): Promise<{ readonly status: number; readonly reasons: readonly string[] }>
}

export type Until = NonNullable<HeadgateOptions['until']>

export interface WebhookResponse {
  readonly status: number
  readonly headers: Headers
  readonly body: { readonly [member: string]: unknown }
}

export interface DeploymentOptions {
  /** Replacements in the text of the shipped config. */
  readonly config?: (text: string) => string
  readonly cxone?: Pick<CxoneOptions, 'tokenLifetime' | 'faults'>
  /** The routes whose topic is not created. */
  readonly without?: readonly string[]
  readonly until?: Until
  /** Of its topics. */
  readonly replication?: number
  /** The address of Kafka for Headgate, if it differs from that of the test. */
  readonly brokers?: string
  /** Settings of the process. */
  readonly env?: { readonly [name: string]: string }
  readonly nodeOptions?: readonly string[]
  /** Registers the clean-up; at the end of the test if absent. */
  readonly atEnd?: AtEnd
}

const TOKEN = 'test-webhook-token'
const ROUTES = ['high', 'eu', 'default', 'dlq']

export async function deploy(bootstrap: string, options: DeploymentOptions = {}): Promise<Deployment> {
  const {
    config = (text) => text,
    without = [],
    cxone: cxoneOptions = {},
    until: firstUntil = 'ready',
  } = options
  const { replication = 1, brokers = bootstrap, env = {}, nodeOptions = [], atEnd = onTestFinished } = options
  const prefix = `test-${randomUUID()}`
  const pipeline = `${PIPELINE}-${randomUUID()}`
  const topics = ROUTES.map((route) => `${prefix}.${route}`)
  for (const topic of topics.filter((_, index) => !without.includes(ROUTES[index] ?? '')))
    await createTopic(bootstrap, topic, { partitions: 3, replication })

  const cxone = await startCxone({ clientId: 'test-client', clientSecret: 'test-secret', ...cxoneOptions })
  atEnd(() => cxone.close())
  const file = configFile(
    config(readFileSync(SHIPPED_CONFIG, 'utf8'))
      .replaceAll('cxone.data.actions', prefix)
      .replace(`"${PIPELINE}": {`, `"${pipeline}": {`),
    atEnd,
  )
  const stateDirectory = temporaryDirectory({}, atEnd)
  const start = (until: Until) =>
    startHeadgate({
      config: file,
      env: { ...environment(brokers, cxone), HEADGATE_STATE_DIR: stateDirectory, ...env },
      nodeOptions,
      until,
    })
  let headgate = await start(firstUntil)
  atEnd(() => void headgate.kill('SIGKILL'))
  return {
    get headgate() {
      return headgate
    },
    cxone,
    stateDirectory,
    configFile: file,
    environment: environment(brokers, cxone),
    async end(signal) {
      headgate.kill(signal)
      const exit = await headgate.exited
      // 1: acknowledgements are left to make.
      if (signal !== 'SIGKILL' && exit.code !== 0 && exit.code !== 1)
        throw new Error(
          [`Headgate ended with ${JSON.stringify(exit)}.`, ...headgate.lines.slice(-20)].join('\n'),
        )
    },
    async start(until = 'ready') {
      headgate = await start(until)
    },
    prefix,
    pipeline,
    async post(body, headers = {}) {
      const all = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers }
      const url = new URL('/webhook/cxone/data-actions', headgate.intake)
      const response = await fetch(url, { method: 'POST', body, headers: all })
      return {
        status: response.status,
        headers: response.headers,
        body: (await response.json()) as WebhookResponse['body'],
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
function configFile(text: string, atEnd: AtEnd): string {
  const files = { 'plugins.config.json': text.replaceAll('./schemas/', `${resolve('schemas')}/`) }
  const folder = temporaryDirectory(files, atEnd)
  return join(folder, 'plugins.config.json')
}

/** The text of an event as CXone posts it; `payload` is JSON text and stays as it is. */
export const eventText = (id: string, payload: string): string =>
  `{"dataActionId":${JSON.stringify(id)},"eventType":"DataActionCreated","timestamp":"2026-01-02T03:04:05Z","payload":${payload}}`
