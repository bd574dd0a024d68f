import { child } from '../lib/json/pointer.js'
import { type CheckedPipeline, deadLetterTargets, routedTargets } from './checked-pipeline.js'
import { requestProblems } from './request-reads.js'
import type { ShapeProblem } from './shape.js'

type Conflict = Omit<ShapeProblem, 'pointer' | 'code'>

/** Stages that are right by themselves, and cannot be in one pipeline. */
export function* conflictsIn(checked: CheckedPipeline): Iterable<ShapeProblem> {
  const pointer = child('/pipelines', checked.name)
  for (const problem of inboxProblems(checked))
    yield { pointer: `${pointer}/inbox`, code: 'HG_CONFIG_CONFLICT', ...problem }
  yield* requestProblems(checked)
  for (const { at, ...problem } of topicProblems(checked))
    yield { pointer: `${pointer}/source${at}`, code: 'HG_CONFIG_CONFLICT', ...problem }
}

function* inboxProblems(checked: CheckedPipeline): Iterable<Conflict> {
  const { inbox, deadLetter } = checked.settings
  if (inbox === undefined) return
  const { definition } = checked.sink
  if (definition.inbox !== true)
    yield {
      message: `The sink "${definition.name}" offers no inbox.`,
      suggestion: 'Use the sink "kafka", or remove "inbox".',
    }
  if (deadLetter === undefined)
    yield {
      message:
        'A pipeline with an inbox needs a topic for dead letters: the sender of an accepted event cannot be told any more that Kafka refuses its record.',
      suggestion: 'Add "deadLetter": {"topic": "..."} to the pipeline.',
    }
  const targets = [...routedTargets(checked), ...deadLetterTargets(checked)]
  if (targets.some(({ target }) => target.topic === inbox.topic))
    yield {
      message: `The pipeline also writes its records to the topic "${inbox.topic}".`,
      suggestion: 'Give the inbox a topic of its own.',
    }
}

/** Of a source that takes its events from topics. */
function* topicProblems(checked: CheckedPipeline): Iterable<Conflict & { readonly at: string }> {
  const { source, sink, settings } = checked
  const topics = source.definition.topics?.(source.config)
  if (topics === undefined) return
  if (sink.definition.inbox !== true)
    yield {
      at: '/plugin',
      message: `The sink "${sink.definition.name}" cannot commit the offsets of topics with its records.`,
      suggestion: 'Use the sink "kafka".',
    }
  if (settings.inbox !== undefined)
    yield {
      at: '/plugin',
      message: 'The events of this source are in topics already: an inbox would only copy them.',
      suggestion: 'Remove "inbox" from the pipeline.',
    }
  if (settings.deadLetter === undefined)
    yield {
      at: '/plugin',
      message:
        'A pipeline that takes its events from topics needs a topic for dead letters: there is no sender that could be told of bad data.',
      suggestion: 'Add "deadLetter": {"topic": "..."} to the pipeline.',
    }
  const targets = [...routedTargets(checked), ...deadLetterTargets(checked)]
  for (const { at, topic } of topics)
    if (targets.some(({ target }) => target.topic === topic))
      yield {
        at: `/config${at}`,
        message: `The pipeline also writes to the topic "${topic}": its events would come again and again.`,
        suggestion: 'Write to another topic.',
      }
}
