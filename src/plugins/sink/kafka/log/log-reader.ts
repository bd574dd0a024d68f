import type { ClientLogLine } from '../producer/producer.js'
import { type ClientConfig, consumerConfig, type Use } from '../properties.js'
import type { Coordinators } from '../protocol/coordinators.js'
import { type Consumer, openConsumer } from './consumer.js'
import { GroupOffsets } from './group-offsets.js'
import { SharedConsumer } from './shared-consumers.js'

/** The clients that all logs of one cluster share, so that many pipelines do not take many clients. */
export interface LogReader {
  /** Asks for partitions and offsets. */
  readonly requests: Pick<SharedConsumer, 'use'>
  readonly groups: Pick<GroupOffsets, 'committed' | 'commit' | 'members' | 'all' | 'countInstances'>
  /** Waits for its turn: a few logs are read at a time. */
  read<Result>(task: () => Promise<Result>): Promise<Result>
  open(group: string, use: Use): Promise<Consumer>
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
