import { openConsumer } from './consumer.js'
import { consumerConfig } from './consumer-config.js'
import { createGroupOffsets } from './group-offsets.js'
import type { ClientConfig } from './properties.js'
import type { LogReader } from './record-log.js'
import type { ClientLogLine } from './session.js'
import { createSharedConsumer } from './shared-consumer.js'

/** Each reading takes two clients. */
const MOST_READINGS = 4

/** The clients with which the logs of all pipelines on one cluster are read. */
export interface OwnedLogReader extends LogReader {
  close(): Promise<void>
}

export function createLogReader(
  config: ClientConfig,
  brokers: string,
  /** A group that these credentials may use: a consumer looks for its coordinator even if nobody asks it to. */
  group: string,
  log: (line: ClientLogLine) => void,
): OwnedLogReader {
  const open: LogReader['open'] = (group, use) => openConsumer(consumerConfig(config, group, use), log)
  const questions = createSharedConsumer(() => open(group, 'asking'))
  const groups = createGroupOffsets(config, brokers, log)
  const waiting: (() => void)[] = []
  let free = MOST_READINGS

  return {
    questions,
    groups,
    open,
    async read(task) {
      if (free > 0) free--
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        return await task()
      } finally {
        const next = waiting.shift()
        if (next === undefined) free++
        else next()
      }
    },
    async close() {
      await Promise.all([questions.close(), groups.close()])
    },
  }
}
