import type { ProbeContext, Probed } from '../../../../contract/index.js'
import type { ClientSettings } from '../client-settings.js'
import { idleWorkers } from './idle-workers.js'
import { allow, type ClusterTopics, nearest } from './topics.js'

/** The sink reads the topics of the source. */
const NEEDED = ['Read', 'Describe'] as const

type SourceTerms = Pick<ProbeContext, 'sources' | 'workers'> & {
  /** For commands to paste. */
  readonly cluster: ClientSettings
}

/** Findings about the topics that a source reads. */
export function* sourceFindings(
  { visible, described, why }: ClusterTopics,
  { sources, workers, cluster }: SourceTerms,
): Generator<Probed> {
  const partitionsOf = (topic: string) => visible.find(({ name }) => name === topic)?.partitions ?? []
  for (const { at, topic } of sources) {
    const partitions = partitionsOf(topic)
    const about = described?.get(topic)
    const error = { kind: 'error', at } as const
    if (partitions.length === 0) {
      const similar = nearest(topic, visible)
      if (about?.state === 'hidden')
        yield {
          ...error,
          code: 'HG_KAFKA_NOT_ALLOWED',
          message: `The user may not see topic "${topic}", if it exists.`,
          suggestion: allow(cluster, NEEDED, topic),
        }
      else
        yield {
          ...error,
          code: 'HG_KAFKA_TOPIC_MISSING',
          message: `Topic "${topic}", which the source reads, does not exist${about === undefined ? ', or the user may not see it' : ''}.`,
          ...(similar !== undefined && { suggestion: `Did you mean "${similar}"?` }),
        }
      continue
    }
    const lacking = NEEDED.filter((right) => about?.rights?.has(right) === false)
    if (lacking.length > 0) {
      yield {
        ...error,
        code: 'HG_KAFKA_NOT_ALLOWED',
        message: `The user lacks the right ${lacking.join(' and ')} on topic "${topic}", which the source reads.`,
        suggestion: allow(cluster, lacking, topic),
      }
      continue
    }
    for (const { id } of partitions.filter(({ leader }) => leader < 0))
      yield {
        ...error,
        code: 'HG_KAFKA_UNAVAILABLE',
        message: `Partition ${id} of topic "${topic}" has no leader.`,
      }
    if (about?.rights === undefined)
      yield {
        kind: 'unchecked',
        message: `Topic "${topic}": the cluster does not report whether the user may read it${described === undefined ? `: ${why}` : ''}.`,
      }
    else yield { kind: 'checked', message: `The source may read topic "${topic}".` }
  }
  const [first] = sources
  const counts = sources.map(({ topic }) => partitionsOf(topic).length)
  if (first === undefined || counts.includes(0)) return
  const one = sources.length === 1
  yield* idleWorkers({
    at: first.at.slice(0, first.at.lastIndexOf('/')),
    ...{ workers, partitions: counts.reduce((sum, count) => sum + count, 0) },
    subject: one ? `Topic "${first.topic}" has` : `The ${sources.length} topics of the source have`,
    remedy: one ? 'have partitions added to it' : 'have partitions added to them',
  })
}
