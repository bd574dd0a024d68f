import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import rdkafka, {
  type IAdminClient,
  type LibrdKafkaError,
  type NewTopic,
  type TopicMetadata,
} from 'node-rdkafka'

export interface TopicOptions {
  readonly partitions?: number
  readonly replication?: number
  /** Topic settings, such as `max.message.bytes`. */
  readonly config?: { readonly [name: string]: string }
}

const TIMEOUT = 15_000
const POLL = 50

/** Resolves when every partition of the new topic has a leader. */
export async function createTopic(
  bootstrap: string,
  name: string,
  options: TopicOptions = {},
): Promise<void> {
  const { partitions = 1, replication = 1, config = {} } = options
  const topic: NewTopic = { topic: name, num_partitions: partitions, replication_factor: replication, config }
  await administrate(bootstrap, (admin, done) => admin.createTopic(topic, TIMEOUT, done))
  while (!(await hasLeaders(bootstrap, name, partitions))) await delay(POLL)
}

/** Adds partitions to a topic until it has so many. */
export const growTopic = (bootstrap: string, name: string, partitions: number): Promise<void> =>
  administrate(bootstrap, (admin, done) => admin.createPartitions(name, partitions, TIMEOUT, done))

export const deleteTopic = (bootstrap: string, name: string): Promise<void> =>
  administrate(bootstrap, (admin, done) => admin.deleteTopic(name, TIMEOUT, done))

/** The id of the broker that leads a partition, or -1. */
export async function leaderOf(bootstrap: string, name: string, partition: number): Promise<number> {
  const topic = await describe(bootstrap, name)
  return topic?.partitions.find(({ id }) => id === partition)?.leader ?? -1
}

/** Whether every partition of the cluster has all its replicas in sync. */
export async function allInSync(bootstrap: string): Promise<boolean> {
  const topics = await metadata(bootstrap)
  return topics.every(({ partitions }) =>
    partitions.every(({ isrs, replicas }) => isrs.length === replicas.length),
  )
}

async function administrate(
  bootstrap: string,
  task: (admin: IAdminClient, done: (error: LibrdKafkaError | undefined) => void) => void,
): Promise<void> {
  const admin = rdkafka.AdminClient.create({ 'bootstrap.servers': bootstrap, log_level: 3 })
  try {
    await new Promise<void>((resolve, reject) => task(admin, (error) => (error ? reject(error) : resolve())))
  } finally {
    admin.disconnect()
  }
}

async function hasLeaders(bootstrap: string, name: string, partitions: number): Promise<boolean> {
  const topic = await describe(bootstrap, name)
  return topic?.partitions.length === partitions && topic.partitions.every(({ leader }) => leader > 0)
}

async function describe(bootstrap: string, topic: string): Promise<TopicMetadata | undefined> {
  const topics = await metadata(bootstrap, topic)
  return topics.find(({ name }) => name === topic)
}

/** Of one topic, or of all. */
async function metadata(bootstrap: string, topic?: string): Promise<TopicMetadata[]> {
  const client = new rdkafka.Producer({ 'bootstrap.servers': bootstrap, log_level: 3 })
  try {
    await promisify(client.connect.bind(client))({ allTopics: false, timeout: TIMEOUT })
    const wanted = topic === undefined ? { allTopics: true } : { topic, allTopics: false }
    const { topics } = await promisify(client.getMetadata.bind(client))({ ...wanted, timeout: TIMEOUT })
    return topics
  } finally {
    await promisify((done: (error: Error | null) => void) =>
      client.disconnect((error) => done(error ?? null)),
    )()
  }
}
