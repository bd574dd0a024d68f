import type { Event, Outcome, PostCommit, SinkRecord } from '../contract/index.js'
import type { Decision, Refusal } from './observe.js'
import type { Passage } from './passage.js'
import type { Pipeline } from './pipeline.js'

/** What a worker has found out about an event, and the primary process goes on with. */
export type Handed =
  /** It did not become an event. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | {
      readonly kind: 'decided'
      readonly received: Event
      /** Of the bytes as they were received. */
      readonly digest: string
      /** What the transforms say, with the event as they left it. */
      readonly decision: Decision<Event>
      /** Makes the record of an event that passed, or throws why it has none. */
      record(passed: Event): SinkRecord
    }

/** Hands an event over to the primary process. Resolves with its outcome; never rejects. Its passage ends here. */
export type HandOver = (pipeline: Pipeline, handed: Handed, passage: Passage) => Promise<Outcome>

/**
 * In the primary process: a post-commit stage whose attempts workers make, as far as there are any, and else `own`. `stage`:
 * its place in the pipeline.
 */
export type ThroughWorkers = (
  pipeline: string,
  stage: number,
  own: PostCommit,
) => Pick<PostCommit, 'acknowledge'>
