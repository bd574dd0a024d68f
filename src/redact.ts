/** Shorter values are not looked for: a `1` behind a reference would blank every 1 of a line. */
const SHORTEST = 4

/**
 * Puts what may be shown in place of what must not be, in a finished text: `secrets` maps values to the references they
 * came from. Values are also found as they stand in JSON, where quotes and line ends are escaped.
 */
export function redactor(secrets: ReadonlyMap<string, string>): (text: string) => string {
  const known = [...secrets]
    .filter(([value]) => value.length >= SHORTEST)
    .flatMap(([value, shown]) =>
      [value, JSON.stringify(value).slice(1, -1)].map((form) => [form, shown] as const),
    )
    .sort(([a], [b]) => b.length - a.length)
  return (text) => known.reduce((rest, [value, shown]) => rest.replaceAll(value, shown), text)
}
