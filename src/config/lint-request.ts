import type { CheckedPipeline } from './checked-pipeline.js'
import type { Unplaced } from './lint-names.js'
import { didYouMean } from './problem.js'
import { readsOf } from './request-reads.js'

/** Headers of HTTP clients and proxies, which no sender documents. */
const COMMON =
  /^(?:accept(?:-.*)?|connection|content-.*|date|forwarded|from|host|origin|referer|tracestate|traceparent|user-agent|via|x-forwarded-.*|x-real-ip|x-request-id)$/

/** Parts of the request that are read and probably never there. */
export function* requestFindings(checked: CheckedPipeline): Iterable<Unplaced> {
  const { definition, config } = checked.source
  const reads = readsOf(checked)
  if (definition.requests !== true) {
    for (const { pointer, part } of reads)
      yield {
        pointer,
        name: 'request-not-available',
        message: `The source "${definition.name}" takes no HTTP requests, so that no event has ${part}.`,
        suggestion: 'Read the value from the body.',
      }
    return
  }
  const sent = definition.sends?.(config)?.map((name) => name.toLowerCase())
  if (sent === undefined) return
  for (const { pointer, part } of reads) {
    const name = part.startsWith('header:') ? part.slice('header:'.length) : ''
    if (name === '' || sent.includes(name) || COMMON.test(name)) continue
    yield {
      pointer,
      name: 'header-not-sent',
      message: `The sender does not document the header ${name}.`,
      ...didYouMean(name, sent),
    }
  }
}
