import type { RehearsedCall } from '../dry-run/dry-run.js'
import { type Difference, jsonField, shown } from './difference.js'
import type { Expect } from './format.js'

type Expected = Exclude<Expect['acknowledge'], undefined | boolean>

/** Where several stages tell the sender, one of them has to do it as expected; the nearest one is shown. */
export function acknowledgeDifferences(
  expected: Expect['acknowledge'],
  body: () => string,
  calls: readonly RehearsedCall[],
): Difference[] {
  if (expected === undefined) return []
  const [call] = calls
  if (expected === false)
    return call === undefined ? [] : [{ field: 'acknowledge', expected: 'false', found: summary(call) }]
  if (call === undefined) return [{ field: 'acknowledge', expected: shown(expected), found: 'no request' }]
  if (expected === true) return []
  const [nearest = []] = calls
    .map((call) => callDifferences(expected, body, call))
    .sort((a, b) => a.length - b.length)
  return nearest
}

function callDifferences(expected: Expected, body: () => string, call: RehearsedCall): Difference[] {
  const found = (['method', 'url'] as const).flatMap((name): Difference[] =>
    expected[name] === undefined || expected[name] === call[name]
      ? []
      : [{ field: `acknowledge ${name}`, expected: shown(expected[name]), found: shown(call[name]) }],
  )
  return 'body' in expected
    ? [...found, ...jsonField('acknowledge body', body(), call.body, 'differ')]
    : found
}

const summary = ({ method, url }: RehearsedCall): string => `${method} ${url}`
