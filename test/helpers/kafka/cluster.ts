import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../free-ports.js'
import { formatBroker, type KafkaBroker } from './broker.js'
import { kafkaClassPath } from './class-path.js'

/** A real Apache Kafka, each node a process, on loopback. It ends with the process that started it. */
export interface KafkaCluster {
  /** For `bootstrap.servers`. */
  readonly bootstrap: string
  /** In the order of their ids, which start at 1. */
  readonly brokers: readonly KafkaBroker[]
  /** The address of each extra listener on the first node. */
  readonly addresses: { readonly [listener: string]: string }
  readonly ports: readonly number[]
  /** Its data is gone with it. */
  stop(): Promise<void>
}

export interface ClusterOptions {
  /** 1 or 3. */
  readonly nodes?: number
  /** Broker settings on top of ours. */
  readonly properties?: { readonly [name: string]: string }
  readonly jvm?: readonly string[]
  /** Those of an earlier cluster that this one replaces. */
  readonly ports?: readonly number[]
  /** Listeners beside the plain one that tests use, by their names, on a cluster of one node. */
  readonly listeners?: { readonly [name: string]: ExtraListener }
}

export interface ExtraListener {
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT'
  /** The advertised port, if it is not the port that the broker listens on. */
  readonly advertisedPort?: number
}

/** Starts in half the CPU time of the defaults; long runs are slower. */
export const QUICK_START = ['-Xmx400m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData']

/** Any 16 bytes will do. */
const CLUSTER_ID = Buffer.from('headgate-cluster').toString('base64url')

/** Resolves when all nodes take requests. */
export async function startKafkaCluster(options: ClusterOptions = {}): Promise<KafkaCluster> {
  const { nodes = 1, properties = {}, jvm = QUICK_START, listeners = {} } = options
  const classPath = await kafkaClassPath()
  const directory = mkdtempSync(join(tmpdir(), 'headgate-kafka-'))
  const names = Object.keys(listeners)
  const ports = options.ports ?? (await freePorts(2 * nodes + names.length))
  const all = ports.map((port) => `127.0.0.1:${port}`)
  const clients = all.slice(0, nodes)
  const controllers = all.slice(nodes, 2 * nodes)
  const addresses = Object.fromEntries(names.map((name, index) => [name, all[2 * nodes + index] as string]))
  const brokers: KafkaBroker[] = []

  async function stop(): Promise<void> {
    // Its data is discarded, and a node that waits for the others' shutdown would take long.
    await Promise.all(brokers.map((broker) => broker.kill()))
    rmSync(directory, { recursive: true, force: true })
  }

  try {
    const formatted = clients.map((address, index) => {
      const id = index + 1
      const settings = {
        ...withListeners(nodeProperties(id, address, controllers), listeners, addresses),
        ...properties,
      }
      return formatBroker({
        id,
        address,
        classPath,
        jvm,
        directory,
        clusterId: CLUSTER_ID,
        properties: settings,
      })
    })
    brokers.push(...(await Promise.all(formatted)))
    await Promise.all(brokers.map((broker) => broker.start()))
  } catch (error) {
    await stop()
    throw error
  }
  return { bootstrap: clients.join(','), brokers, addresses, ports, stop }
}

function nodeProperties(id: number, address: string, controllers: readonly string[]) {
  const nodes = controllers.length
  const inSync = String(Math.min(2, nodes))
  const voters = controllers.map((controller, index) => `${index + 1}@${controller}`)
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': voters.join(','),
    listeners: `PLAINTEXT://${address},CONTROLLER://${controllers[id - 1]}`,
    'advertised.listeners': `PLAINTEXT://${address}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'auto.create.topics.enable': 'false',
    'default.replication.factor': String(nodes),
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': String(nodes),
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': String(nodes),
    'transaction.state.log.min.isr': inSync,
    'group.initial.rebalance.delay.ms': '0',
    // So that a dead or frozen leader is replaced within seconds.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'inter.broker.listener.name': 'PLAINTEXT',
  }
}

type Properties = NonNullable<ClusterOptions['properties']>

/** The settings of a node that has these listeners, too. */
function withListeners(
  node: Properties,
  listeners: NonNullable<ClusterOptions['listeners']>,
  addresses: KafkaCluster['addresses'],
): Properties {
  const append = (setting: string, text: (name: string, listener: ExtraListener) => string) => ({
    [setting]: [
      node[setting],
      ...Object.entries(listeners).map(([name, listener]) => text(name, listener)),
    ].join(','),
  })
  return {
    ...node,
    ...append('listeners', (name) => `${name}://${addresses[name]}`),
    ...append('advertised.listeners', (name, { advertisedPort }) =>
      advertisedPort === undefined ? `${name}://${addresses[name]}` : `${name}://127.0.0.1:${advertisedPort}`,
    ),
    ...append('listener.security.protocol.map', (name, { protocol }) => `${name}:${protocol}`),
  }
}
