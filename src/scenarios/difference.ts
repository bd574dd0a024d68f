import { type Extras, jsonDifferences } from '../lib/json/difference.js'

/** One expectation that was not met, as text for people; JSON where it is JSON. */
export interface Difference {
  /** As in the scenario: `topic`, `headers event-type`, `value /region`. */
  readonly field: string
  readonly expected: string
  readonly found: string
}

export const NOTHING = 'nothing'

export const shown = (value: unknown): string => (value === undefined ? NOTHING : JSON.stringify(value))

/** Both as JSON, place by place. A JSON string that says exactly the text that was found fits, too. */
export function jsonField(field: string, expected: string, found: string, extras: Extras): Difference[] {
  const text = JSON.stringify(found)
  if (expected === text) return []
  if (!isJson(found)) return [{ field, expected, found: found === '' ? NOTHING : text }]
  return jsonDifferences(expected, found, extras).map(({ pointer, ...values }) => ({
    field: pointer === '' ? field : `${field} ${pointer}`,
    expected: values.expected ?? NOTHING,
    found: values.found ?? NOTHING,
  }))
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
