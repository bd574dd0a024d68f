/**
 * How often a property is tried: `times` in an ordinary run, and HEADGATE_FUZZ_RUNS times as often where that is set, as
 * `npm run fuzz` does.
 */
export const runs = (times: number): { readonly numRuns: number } => ({
  numRuns: times * Math.max(1, Number(process.env['HEADGATE_FUZZ_RUNS'] ?? 1) || 1),
})
