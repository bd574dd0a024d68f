import type { SinkTopic } from '../contract/index.js'
import { child } from '../lib/json/pointer.js'
import type { CheckedPipeline } from './check.js'
import type { Unplaced } from './lint-names.js'
import { deadLetterTargets, type RoutedTarget, routedTargets } from './routed-targets.js'

/** What the sink of `pipeline` could write to, and what no rule of any of the pipelines uses although it seems meant. */
export function* unrouted(
  topics: readonly SinkTopic[],
  pipeline: CheckedPipeline,
  pipelines: readonly CheckedPipeline[],
): Generator<Unplaced> {
  const own = routedTargets(pipeline)
  const all = pipelines.flatMap((each) => [...routedTargets(each), ...deadLetterTargets(each)])
  yield* unroutedTopics(topics, own, all)
  yield* unroutedPartitions(topics, own, all)
}

/** A name up to its last part: topics that share it are taken for one family. */
const FAMILY = /^.*[._-](?=[^._-]+$)/
/** What belongs to Kafka itself, and what consumers and Kafka Streams make beside the topics that they read. */
const NOT_MEANT = /^_|[._-](?:dlq|dlt|dead-?letters?|retry|retries|changelog|repartition)$/i

/** Two topics are a family, one is not: its name may begin like many that have nothing to do with it. */
function* unroutedTopics(
  topics: readonly SinkTopic[],
  own: readonly RoutedTarget[],
  all: readonly RoutedTarget[],
): Generator<Unplaced> {
  const used = new Set(all.map(({ target }) => target.topic))
  const routed = new Map(own.map(({ target }) => [target.topic, FAMILY.exec(target.topic)?.[0]]))
  for (const family of new Set(routed.values())) {
    const members = [...routed.keys()].filter((topic) => routed.get(topic) === family)
    const left = topics
      .map(({ name }) => name)
      .filter((name) => FAMILY.exec(name)?.[0] === family && !used.has(name) && !NOT_MEANT.test(name))
      .sort()
    const first = own.find(({ target }) => target.topic === members[0])
    if (family === undefined || members.length < 2 || left.length === 0 || first === undefined) continue
    const one = left.length === 1
    yield {
      pointer: child(first.at, 'topic'),
      name: 'topic-without-rule',
      message: `No rule sends events to the ${one ? 'topic' : 'topics'} ${listed(left.map(quoted))}, which ${one ? 'is' : 'are'} there beside ${listed(members.map(quoted))}.`,
      suggestion: `Add ${one ? 'a rule for it' : 'rules for them'}, or correct the rule that was meant to name ${one ? 'it' : 'them'}.`,
    }
  }
}

/**
 * One partition that is named says only where the events go; two share the topic out, and then the others are left over.
 */
function* unroutedPartitions(
  topics: readonly SinkTopic[],
  own: readonly RoutedTarget[],
  all: readonly RoutedTarget[],
): Generator<Unplaced> {
  for (const { name, partitions } of topics) {
    const first = own.find(({ target }) => target.topic === name)
    const named = new Set(
      all.filter(({ target }) => target.topic === name).map(({ target }) => target.partition),
    )
    const left = Array.from({ length: partitions }, (_, partition) => partition).filter(
      (partition) => !named.has(partition),
    )
    if (first === undefined || named.has(undefined) || named.size < 2 || left.length === 0) continue
    const one = left.length === 1
    yield {
      pointer: child(first.at, 'partition'),
      name: 'partition-without-rule',
      message: `No rule sends events to ${one ? 'partition' : 'the partitions'} ${listed(left)} of topic "${name}", which has ${partitions}: each rule that writes to it names another one.`,
      suggestion: `Add ${one ? 'a rule for it' : 'rules for them'}, or leave \`partition\` out, so that the key of an event decides.`,
    }
  }
}

const quoted = (name: string): string => `"${name}"`

const LONGEST_LIST = 5

/** `a, b and c`, or the first of them and how many others there are. */
function listed(items: readonly (string | number)[]): string {
  const others = items.length - LONGEST_LIST
  const shown = others > 1 ? [...items.slice(0, LONGEST_LIST), `${others} others`] : items
  return [shown.slice(0, -1).join(', '), ...shown.slice(-1)].filter((part) => part !== '').join(' and ')
}
