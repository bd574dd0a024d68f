import { locator } from '../lib/locator.js'
import type { CheckedPipeline } from './checked-pipeline.js'
import type { ShapeProblem } from './shape.js'

/** A setting of a stage that reads a part of the request. */
export interface PipelineRead {
  /** JSON Pointer of the setting in the file. */
  readonly pointer: string
  /** As a locator: `header:x-github-event`. */
  readonly part: string
}

/** Everything that the stages of a pipeline read of requests. */
export const readsOf = ({ transforms, sink }: CheckedPipeline): PipelineRead[] =>
  [...transforms, sink].flatMap(({ definition, config, pointer }) =>
    (definition.reads?.(config) ?? []).map(({ at, part }) => ({
      pointer: `${pointer}/config${at}`,
      part: locator(part).text,
    })),
  )

/** Headers that hold a credential, whatever the source verifies. */
const CREDENTIALS = ['header:authorization', 'header:proxy-authorization', 'header:cookie']

/** Reads of secrets, which would get into records, dead letters and taps. */
export function* requestProblems(checked: CheckedPipeline): Iterable<ShapeProblem> {
  const { definition, config } = checked.source
  const own = (definition.credentials?.(config) ?? []).map((part) => locator(part).text)
  for (const { pointer, part } of readsOf(checked)) {
    if (!own.includes(part) && !CREDENTIALS.includes(part)) continue
    yield {
      pointer,
      code: 'HG_CONFIG_CONFLICT',
      message: `No stage can read ${part}: ${own.includes(part) ? 'the source takes the secret of the sender from there' : 'it holds credentials'}, and values that stages read get into records, dead letters and taps.`,
      suggestion: 'Read another part of the request, or give each sender a pipeline with a path of its own.',
    }
  }
}
