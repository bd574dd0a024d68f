import { createHash } from 'node:crypto'
import type { SharedContext } from '../../../contract/index.js'
import { createClientLog } from './client-log.js'
import { createLogReader } from './log-reader.js'
import { clientConfig, type Properties } from './properties.js'
import type { LogReader } from './record-log.js'
import { openSession } from './session.js'
import { createStatistics } from './statistics.js'
import { createSupervisor, type Supervisor } from './supervisor.js'
import { createTopicIds, type TopicIds } from './topic-ids.js'

/** What makes one client different from another; everything else in the config of a sink is the pipeline's own. */
export interface ClientSettings {
  readonly brokers: string
  readonly properties: Properties
}

/** The Kafka client of all sinks that name the same brokers and properties. */
export interface ClusterClient extends Pick<Supervisor, 'connection'> {
  readonly reader: LogReader
  readonly topicIds: Pick<TopicIds, 'identify'>
  stop(): Promise<void>
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

/** `group`: as `createLogReader` has it. */
export function createClusterClient(
  { brokers, properties }: ClientSettings,
  { name, log, metrics, signal }: SharedContext,
  group: string,
): ClusterClient {
  const config = clientConfig(brokers, properties, `headgate-${name}`)
  const clientLog = createClientLog(log)
  const statistics = createStatistics(metrics)
  const supervisor = createSupervisor({
    brokers,
    log,
    signal,
    clientLog,
    open(events, timeout) {
      const show = (json: string) => statistics.show(json, supervisor.outstanding())
      return openSession(config, { ...events, log: clientLog.write, statistics: show }, timeout)
    },
  })
  const reader = createLogReader(config, brokers, group, clientLog.write)
  const topicIds = createTopicIds(config, brokers)
  return {
    connection: supervisor.connection,
    reader,
    topicIds,
    async stop() {
      topicIds.close()
      await Promise.all([supervisor.stop(), reader.close()])
    },
  }
}
