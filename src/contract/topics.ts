/** A topic as the config needs it. */
export interface TopicNeed {
  readonly topic: string
  /** At least so many; undefined if any number will do. */
  readonly partitions: number | undefined
  /** Whether the key chooses the partition of some records: more partitions then move keys to other ones. */
  readonly byKey: boolean
  /** Of an inbox: milliseconds for which redeliveries are recognised from it. */
  readonly redeliveryWindow?: number
}

export interface NewTopicOptions {
  /** Undefined: as the broker is set. */
  readonly partitions: number | undefined
  /** Undefined: as the broker is set. */
  readonly replicas: number | undefined
  /** Milliseconds for which no record is deleted, whatever its key and however many there are; otherwise as the broker is set. */
  readonly keepFor?: number
}

/**
 * Looks at the topics of a cluster and creates some. All methods reject with a HeadgateError that gives the reason.
 */
export interface TopicAdmin {
  /** How many brokers the cluster has. */
  readonly brokers: number
  /** How many partitions the topic has; 0 if there is none, or if the user may not see it. */
  partitionsOf(topic: string): number
  /** Resolves too if the topic exists meanwhile. */
  create(topic: string, options: NewTopicOptions): Promise<void>
  addPartitions(topic: string, total: number): Promise<void>
  /** The same as a command of Kafka's own tools. */
  createCommand(topic: string, options: NewTopicOptions): string
  addPartitionsCommand(topic: string, total: number): string
  close(): Promise<void>
}
