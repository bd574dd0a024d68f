import { HeadgateError } from '../../../contract/errors.js'
import { definePlugin, type Inbox, type Sink, type Target } from '../../../contract/index.js'
import { settingProblems } from './checks.js'
import { clientKey } from './client-settings.js'
import { ClusterClient } from './cluster-client.js'
import { codecFindings, LINTS, lint } from './lint.js'
import { KafkaRecordLog } from './log/record-log.js'
import { PROBE_LINTS, probe } from './probe/probe.js'
import { CLIENT_METRICS } from './producer/statistics.js'
import { rebuilder, recordMaker, requestReads } from './record.js'
import { SETTINGS } from './settings.js'
import { openTopicAdmin } from './topic-admin.js'
import type { TopicFacts } from './topic-facts.js'
import { trial } from './trial.js'

export const kafkaSink = definePlugin({
  kind: 'sink',
  name: 'kafka',
  summary: 'Writes records to Kafka, idempotently and confirmed by all in-sync replicas.',
  config: SETTINGS,
  metrics: CLIENT_METRICS,
  check: (settings, { clientCode }) => settingProblems(settings, clientCode),
  trial,
  lints: { ...LINTS, ...PROBE_LINTS },
  lint,
  probe,
  reads: requestReads,
  inbox: true,
  topics: { cluster: clientKey, open: openTopicAdmin },
  create(settings, { pipeline, log, share, hasInbox }) {
    const group = `headgate.${pipeline}`
    const { thing: client, release } = share(
      clientKey(settings),
      (context) => new ClusterClient(settings, context, group),
    )
    const connection = client.connection(log)
    let targets: readonly Target[] = []
    let inbox: Inbox | undefined
    const send: Sink['send'] = (record) => connection.send(record)
    const recordLog = new KafkaRecordLog({
      targets: () => targets,
      fence: () => connection.fence(),
      identify: (topics) => identify(client.topicFacts, topics, targets),
      group,
      reader: client.reader,
      hasInbox,
    })
    const stop = async (): Promise<void> => {
      connection.leave()
      // Reads in flight use clients of the shared one.
      await recordLog.close()
      await release()
    }
    return {
      ...recordMaker(settings),
      expect(placed) {
        targets = placed.map(({ target }) => target)
        connection.expect(placed)
      },
      async start() {
        for (const { message, suggestion } of codecFindings()) log.warn({}, `${message} ${suggestion}`)
        // The ledger asks as soon as the producer has its first response.
        recordLog.connect()
        try {
          await connection.start()
        } catch (error) {
          await stop()
          throw error
        }
      },
      stop,
      notReady: () => connection.notReady(),
      ready: () => connection.ready(),
      check: (placed) => connection.check(placed),
      send,
      rebuild: rebuilder(settings),
      log: recordLog,
      inbox(topic) {
        inbox ??= client.inbox(topic, group, log, send)
        return inbox
      },
      records: (topic, all) => client.records(topic, group, log, all),
      instances: client.instances(pipeline, group, log),
    }
  },
})

async function identify(
  facts: Pick<TopicFacts, 'identify'>,
  topics: readonly string[],
  targets: readonly Target[],
) {
  const identities = await facts.identify(topics)
  const missing = targets.find(({ topic }) => topics.includes(topic) && identities?.has(topic) === false)
  if (missing === undefined) return identities
  throw new HeadgateError('HG_KAFKA_TOPIC_MISSING', `Topic "${missing.topic}" does not exist.`)
}
