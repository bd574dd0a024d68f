import type { ConfigProblem } from '../../../contract/index.js'

/** The pattern lets a day through that no month has. */
export function* checkStart(start: string): Iterable<ConfigProblem> {
  if (start === 'earliest' || start === 'latest' || !Number.isNaN(Date.parse(start))) return
  yield {
    at: '/start',
    code: 'HG_CONFIG_VALUE',
    message: 'There is no such time.',
    expected: 'a time such as "2026-01-31T00:00:00Z"',
  }
}
