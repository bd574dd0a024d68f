import { runBack } from '../pipeline/path.js'
import type { Pipeline } from '../pipeline/pipeline.js'
import { runBackWatched } from '../pipeline/watched.js'
import { type EventMessage, fromEventMessage } from './event-message.js'
import { type OutcomeMessage, toOutcomeMessage } from './wire.js'

/** The back of the path for an event that a worker has handed over: `answer` is told how it ended. Never throws. */
export function takeHanded(
  pipeline: Pipeline,
  message: EventMessage,
  parts: readonly Buffer[],
  answer: (message: OutcomeMessage) => void,
): void {
  const { handed, passage, request } = fromEventMessage(message, parts, pipeline)
  const { taps } = pipeline.runtime
  const ended =
    taps.size === 0 ? runBack(pipeline, handed, passage) : runBackWatched(pipeline, handed, passage, taps)
  void ended.then((outcome) => {
    const made = request.knownId === message.requestId ? undefined : request.knownId
    answer(toOutcomeMessage(message.number, outcome, made))
  })
}
