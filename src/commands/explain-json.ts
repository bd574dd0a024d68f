import { isUtf8 } from 'node:buffer'
import type { Explanation } from './explain-report.js'

/** What `headgate explain --json` prints. */
export function asJson({ config, rehearsed, unproved }: Explanation): object {
  const { pipeline, answer, outcome, route, steps, records, calls } = rehearsed
  const { error, ...ending } = 'error' in outcome ? outcome : { ...outcome, error: undefined }
  return {
    pipeline,
    revision: config.revision,
    verification: unproved === undefined ? { kind: 'given' } : { kind: 'skipped', why: unproved },
    unresolved: config.placeholders,
    outcome: error === undefined ? ending : { ...ending, code: error.code, message: error.message },
    route: route ?? null,
    steps,
    records: records.map(({ partition, value, ...record }) => {
      const valueEncoding = isUtf8(value) ? 'utf-8' : 'base64'
      return { ...record, partition: partition ?? null, value: value.toString(valueEncoding), valueEncoding }
    }),
    acknowledge: calls,
    answer,
  }
}
