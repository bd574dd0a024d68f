import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TOPICS, WEBHOOK_PATH } from '../src/sandbox/routes.js'
import { freePorts } from '../test/helpers/free-ports.js'
import { startKafkaCluster } from '../test/helpers/kafka/cluster.js'
import { createTopic } from '../test/helpers/kafka/topics.js'
import { endWithUs } from '../test/helpers/processes/end-with-us.js'
import { INBOX, keepConfig } from './config.js'
import { KeptHeadgate } from './headgate.js'
import type { Options } from './options.js'
import { createFaultLog } from './schedule.js'
import { startSimulator } from './simulator.js'
import type { Instance, Tortured } from './torture.js'

/** Everything of a run except its sender. */
export interface Environment extends Tortured {
  /** The token of the sender. */
  readonly token: string
  /** Ends all of it at once, and removes its data. */
  end(): Promise<void>
}

const NODES = 3
const PARTITIONS = 3
const INBOX_PARTITIONS = 6
const TOKEN = 'torture-token'
const CREDENTIALS = { CXONE_CLIENT_ID: 'torture-client', CXONE_CLIENT_SECRET: 'torture-secret' }
/** Short, so that Headgate's end does not dominate a short run if CXone cannot be reached. */
const SHUTDOWN_TIMEOUT = '10s'

/**
 * Starts a Kafka of three nodes, CXone, and Headgate on the shipped config, one or as many instances as the options say, which
 * accept events when this resolves.
 */
export async function startEnvironment(
  { workers, instances: count }: Pick<Options, 'workers' | 'instances'>,
  signal: AbortSignal,
): Promise<Environment> {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-torture-'))
  const ended = new AbortController()
  signal.addEventListener('abort', () => ended.abort(), { once: true })
  const endings: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })]
  const end = async () => {
    ended.abort()
    for (const ending of endings.toReversed()) await ending()
  }
  try {
    const kafka = await startKafkaCluster({ nodes: NODES })
    endings.push(kafka.stop)
    await createTopics(kafka.bootstrap, count !== undefined)
    const simulator = await startSimulator(CREDENTIALS)
    endings.push(simulator.stop)
    endings.push(endWithUs(simulator.pid, directory))
    const faults = createFaultLog()
    const environment = {
      ...CREDENTIALS,
      HEADGATE_SHUTDOWN_TIMEOUT: SHUTDOWN_TIMEOUT,
      HEADGATE_WORKERS: String(workers),
      KAFKA_BROKERS: kafka.bootstrap,
      CXONE_BASE_URL: simulator.url,
      WEBHOOK_TOKEN: TOKEN,
    }

    // All at once: a port that one instance will take is still free when another looks.
    const ports = await freePorts(2 * ((count ?? 1) + 1))

    async function prepare(name: string): Promise<Instance> {
      const [port, adminPort] = ports.splice(0, 2)
      const home = join(directory, name)
      const stateDir = join(home, 'state')
      const config = keepConfig(home, count !== undefined)
      const headgate = new KeptHeadgate({
        name,
        config: config.path,
        stateDir,
        env: {
          ...environment,
          HEADGATE_PORT: String(port),
          HEADGATE_ADMIN_PORT: String(adminPort),
          HEADGATE_STATE_DIR: stateDir,
        },
        signal: ended.signal,
        faults,
      })
      endings.push(() => headgate.ended())
      const url = `http://127.0.0.1:${port}${WEBHOOK_PATH}`
      return { headgate, config, url, admin: `http://127.0.0.1:${adminPort}` }
    }

    const names =
      count === undefined ? ['Headgate'] : Array.from({ length: count }, (_, n) => `instance ${n + 1}`)
    const instances: Instance[] = []
    for (const name of names) instances.push(await prepare(name))
    await Promise.all(instances.map(({ headgate }) => headgate.start()))
    const visitor = count === undefined ? undefined : await prepare('the visitor')
    return { instances, visitor, kafka, simulator, faults, token: TOKEN, end }
  } catch (error) {
    await end()
    throw error
  }
}

async function createTopics(bootstrap: string, isShared: boolean): Promise<void> {
  const settings = {
    partitions: PARTITIONS,
    replication: NODES,
    // The broker stamps records when it appends them, so that an acknowledgement that came too early can be told.
    config: { 'message.timestamp.type': 'LogAppendTime' },
  }
  for (const topic of TOPICS) await createTopic(bootstrap, topic, settings)
  if (isShared) await createTopic(bootstrap, INBOX, { partitions: INBOX_PARTITIONS, replication: NODES })
}
