import { HeadgateError } from '../../../contract/errors.js'
import type { PlacedTarget } from '../../../contract/index.js'
import type { Session } from './session.js'

/** A target that the cluster does not have, in one sentence with its place in the config. */
export interface TopologyProblem {
  readonly code: 'HG_KAFKA_TOPIC_MISSING' | 'HG_KAFKA_PARTITION_MISSING'
  readonly message: string
}

/**
 * Asks the cluster how many partitions the topic of each target has; 0 if there is no such topic. `timeout`: milliseconds
 * for each answer. Rejects if there is none.
 */
export async function askForPartitions(
  session: Pick<Session, 'ping' | 'partitions'>,
  targets: readonly PlacedTarget[],
  timeout: number,
): Promise<ReadonlyMap<string, number>> {
  const partitions = new Map<string, number>()
  const topics = topicsOf(targets)
  if (topics.length === 0) await session.ping(timeout)
  for (const topic of topics) partitions.set(topic, await session.partitions(topic, timeout))
  return partitions
}

/** All problems in one error; where a partition is missing, the config cannot be right. */
export function impossibleTargets(problems: readonly TopologyProblem[]): HeadgateError {
  const code = problems.some(({ code }) => code === 'HG_KAFKA_PARTITION_MISSING')
    ? 'HG_KAFKA_PARTITION_MISSING'
    : 'HG_KAFKA_TOPIC_MISSING'
  return new HeadgateError(code, problems.map(({ message }) => message).join(' '))
}

/** Compares targets with the number of partitions of each of their topics; 0 where there is no such topic. */
export function topologyProblems(
  targets: readonly PlacedTarget[],
  partitions: ReadonlyMap<string, number>,
): TopologyProblem[] {
  const problems: TopologyProblem[] = []
  for (const topic of topicsOf(targets)) {
    const count = partitions.get(topic) ?? 0
    const here = targets.filter(({ target }) => target.topic === topic)
    if (count === 0) {
      const message = `Topic "${topic}" does not exist${placesOf(here)}.`
      problems.push({ code: 'HG_KAFKA_TOPIC_MISSING', message })
      continue
    }
    const beyond = here.filter(({ target }) => target.partition !== undefined && target.partition >= count)
    for (const partition of new Set(beyond.map(({ target }) => target.partition))) {
      const places = placesOf(beyond.filter(({ target }) => target.partition === partition))
      const found = count === 1 ? 'it has one partition, 0' : `its ${count} partitions are 0 to ${count - 1}`
      const message = `Topic "${topic}" has no partition ${partition}${places}: ${found}.`
      problems.push({ code: 'HG_KAFKA_PARTITION_MISSING', message })
    }
  }
  return problems
}

const topicsOf = (targets: readonly PlacedTarget[]): string[] => [
  ...new Set(targets.map(({ target }) => target.topic)),
]

const placesOf = (targets: readonly PlacedTarget[]): string =>
  ` (${[...new Set(targets.map(({ place }) => place))].join(', ')})`
