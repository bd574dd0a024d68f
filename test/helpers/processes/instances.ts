import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type HeadgateProcess, startHeadgate } from '../../../src/sandbox/headgate-process.js'
import { temporaryDirectory } from '../context.js'
import { createTopic } from '../kafka/topics.js'
import { type Deployment, deploy, type WebhookResponse } from './deployment.js'

/** Several instances of one pipeline with an inbox, behind a load balancer that knows nothing. */
export interface Instances
  extends Pick<Deployment, 'cxone' | 'records' | 'prefix' | 'configFile' | 'environment'> {
  readonly pipeline: string
  readonly inbox: string
  /** Those that take events. */
  readonly running: readonly HeadgateProcess[]
  start(options?: InstanceOptions): Promise<HeadgateProcess>
  /** It gets no more events, and is ended. */
  end(process: HeadgateProcess, signal: NodeJS.Signals): Promise<void>
  /** To any of them. */
  post(body: string): Promise<WebhookResponse>
}

export interface InstanceOptions {
  /** The address of Kafka for it, if it differs from that of the test. */
  readonly brokers?: string
  /** Replacements in the text of its config. */
  readonly config?: (text: string) => string
  /** Settings of the process. */
  readonly env?: { readonly [name: string]: string }
}

/** `options`: of the first; `replication`: of all topics. */
export async function startInstances(
  bootstrap: string,
  count: number,
  { replication = 1, ...options }: InstanceOptions & { readonly replication?: number } = {},
): Promise<Instances> {
  const pipeline = `test-${randomUUID()}`
  const inbox = `${pipeline}.inbox`
  await createTopic(bootstrap, inbox, { partitions: 6, replication })
  // A group of its own: those of other tests have members that died without a word.
  const withInbox = (text: string) =>
    text.replace('"cxone-data-actions": {', `"${pipeline}": {\n"inbox": { "topic": "${inbox}" },`)
  const deployment = await deploy(bootstrap, { ...options, config: withInbox, replication })
  const running: HeadgateProcess[] = [deployment.headgate]
  const { configFile, environment, cxone, records, prefix } = deployment

  async function start({ brokers = bootstrap, config, env }: InstanceOptions = {}): Promise<HeadgateProcess> {
    const stateDirectory = temporaryDirectory()
    const own = join(stateDirectory, 'plugins.config.json')
    if (config !== undefined) writeFileSync(own, config(readFileSync(configFile, 'utf8')))
    const started = await startHeadgate({
      config: config === undefined ? configFile : own,
      env: {
        ...environment,
        KAFKA_BROKERS: brokers,
        HEADGATE_STATE_DIR: join(stateDirectory, 'state'),
        ...env,
      },
    })
    onTestFinished(() => void started.kill('SIGKILL'))
    running.push(started)
    return started
  }

  while (running.length < count) await start()
  return {
    pipeline,
    inbox,
    configFile,
    environment,
    cxone,
    records,
    prefix,
    running,
    start,
    async end(process, signal) {
      running.splice(running.indexOf(process), 1)
      process.kill(signal)
      await process.exited
    },
    async post(body) {
      const { intake } = running[Math.floor(Math.random() * running.length)] as HeadgateProcess
      const response = await fetch(new URL('/webhook/cxone/data-actions', intake), {
        method: 'POST',
        body,
        headers: {
          authorization: `Bearer ${environment['WEBHOOK_TOKEN']}`,
          'content-type': 'application/json',
        },
        // A frozen instance keeps the connection open.
        signal: AbortSignal.timeout(3000),
      })
      return {
        status: response.status,
        headers: response.headers,
        body: (await response.json()) as WebhookResponse['body'],
      }
    },
  }
}
