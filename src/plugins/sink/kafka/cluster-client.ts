import type {
  ForeignTopics,
  Inbox,
  InstanceGroup,
  Log,
  Shareable,
  SharedContext,
  Sink,
} from '../../../contract/index.js'
import type { ClientSettings } from './client-settings.js'
import { foreignTopic } from './inbox/foreign-topic.js'
import { KafkaInbox } from './inbox/inbox.js'
import { InstanceGroups, instancesGroup } from './instances/instance-groups.js'
import { ClusterReader, type LogReader } from './log/log-reader.js'
import { ClientLog } from './producer/health.js'
import { openSession } from './producer/session.js'
import { Statistics } from './producer/statistics.js'
import { Supervisor } from './producer/supervisor.js'
import { type ClientConfig, clientConfig } from './properties.js'
import { coordinatorsOf } from './protocol/coordinators.js'
import type { SinkConnection } from './sink-connection.js'
import { TopicFacts } from './topic-facts.js'

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
