import { createHash } from 'node:crypto'
import type {
  ForeignTopics,
  Inbox,
  InstanceGroup,
  Log,
  Shareable,
  SharedContext,
  Sink,
} from '../../../contract/index.js'
import { type Consumer, openConsumer } from './consumer.js'
import { type Coordinators, coordinatorsOf } from './coordinators.js'
import { GroupOffsets } from './group-offsets.js'
import { ClientLog } from './health.js'
import { foreignTopic } from './inbox/foreign-topic.js'
import { KafkaInbox } from './inbox/inbox.js'
import { InstanceGroups, instancesGroup } from './instances/instance-groups.js'
import type { ClientLogLine } from './producer.js'
import { type ClientConfig, clientConfig, consumerConfig, type Properties, type Use } from './properties.js'
import type { LogReader } from './record-log.js'
import { openSession } from './session.js'
import { SharedConsumer } from './shared-consumers.js'
import type { SinkConnection } from './sink-connection.js'
import { Statistics } from './statistics.js'
import { Supervisor } from './supervisor.js'
import { TopicFacts } from './topic-facts.js'

/** The settings in which one client differs from another; everything else in the config of a sink is the pipeline's own. */
export interface ClientSettings {
  readonly brokers: string
  readonly properties: Properties
}

/** The same text for the same settings. A digest, for there are passwords among them. */
export function clientKey({ brokers, properties }: ClientSettings): string {
  const addresses = brokers.split(',').map((address) => address.trim())
  const pairs = Object.entries(properties).map(([name, value]) => [name, String(value)])
  pairs.sort(([one = ''], [other = '']) => (one < other ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([addresses, pairs]))
    .digest('hex')
}

/** The Kafka client of all sinks that name the same brokers and properties. */
export class ClusterClient implements Shareable {
  readonly reader: LogReader
  readonly topicFacts: Pick<TopicFacts, 'identify'>
  readonly #settings: ClientSettings
  readonly #config: ClientConfig
  readonly #clientLog: ClientLog
  readonly #signal: AbortSignal
  readonly #supervisor: Supervisor
  readonly #reader: ClusterReader
  readonly #topicFacts: TopicFacts
  readonly #instances: InstanceGroups

  /** `group`: one that these credentials may use; a consumer looks for its coordinator even if nobody asks it to. */
  constructor(settings: ClientSettings, { name, log, metrics, signal }: SharedContext, group: string) {
    const { brokers, properties } = settings
    const config = clientConfig(brokers, properties, `headgate-${name}`)
    const clientLog = new ClientLog(log)
    this.#settings = settings
    this.#config = config
    this.#clientLog = clientLog
    this.#signal = signal
    const statistics = new Statistics(metrics)
    this.#supervisor = new Supervisor({
      brokers,
      log,
      signal,
      clientLog,
      open: (events, timeout) => {
        const show = (json: string) => statistics.show(json, this.#supervisor.inFlight())
        return openSession(config, { ...events, log: clientLog.write, statistics: show }, timeout)
      },
    })
    const coordinators = coordinatorsOf(config, brokers)
    this.#reader = new ClusterReader(config, coordinators, group, clientLog.write)
    this.#topicFacts = new TopicFacts(config, brokers)
    this.#instances = new InstanceGroups(coordinators)
    this.reader = this.#reader
    this.topicFacts = this.#topicFacts
  }

  connection(log: Log): SinkConnection {
    return this.#supervisor.connection(log)
  }

  /** `group`: that of the instances of the pipeline. `send`: that of its sink. */
  inbox(topic: string, group: string, log: Log, send: Sink['send']): Inbox {
    return new KafkaInbox({
      config: this.#config,
      cluster: this.#settings,
      topic,
      group,
      reader: this.#reader,
      topicFacts: this.#topicFacts,
      log,
      clientLog: this.#clientLog.write,
      signal: this.#signal,
      send,
    })
  }

  /** One of the topics of the source. */
  records(topic: string, group: string, log: Log, foreign: ForeignTopics): Pick<Inbox, 'join'> {
    return foreignTopic({
      config: this.#config,
      cluster: this.#settings,
      topic,
      group,
      foreign,
      reader: this.#reader,
      topicFacts: this.#topicFacts,
      log,
      clientLog: this.#clientLog.write,
      signal: this.#signal,
    })
  }

  /** `group`: that of its position. */
  instances(pipeline: string, group: string, log: Log): InstanceGroup {
    return this.#instances.of(pipeline, instancesGroup(group), log)
  }

  async stop(): Promise<void> {
    this.#topicFacts.close()
    await Promise.all([this.#supervisor.stop(), this.#reader.close()])
  }
}

/** Each read takes two clients. */
const MOST_READS = 4

/** The clients with which the logs of all pipelines on one cluster are read. */
export class ClusterReader implements LogReader {
  readonly requests: SharedConsumer
  readonly groups: GroupOffsets
  readonly #config: ClientConfig
  readonly #log: (line: ClientLogLine) => void
  readonly #waiting: (() => void)[] = []
  #free = MOST_READS

  constructor(
    config: ClientConfig,
    coordinators: Coordinators | string,
    group: string,
    log: (line: ClientLogLine) => void,
  ) {
    this.#config = config
    this.#log = log
    this.requests = new SharedConsumer(() => this.open(group, 'asking'))
    this.groups = new GroupOffsets(config, coordinators, log)
  }

  open(group: string, use: Use): Promise<Consumer> {
    return openConsumer(consumerConfig(this.#config, group, use), this.#log)
  }

  async read<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.requests.close(), this.groups.close()])
  }
}
