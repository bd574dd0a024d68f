/** Fewer say more about the start of a consumer than about reading. */
const FEWEST = 10_000

/** Records a second of the recovery that a Headgate process has logged. */
export function readBackRate(lines: readonly string[]): number | undefined {
  const begun = entry(lines, 'catching up with Kafka')
  const ended = entry(lines, 'caught up with Kafka')
  if (begun === undefined || ended === undefined || ended.records < FEWEST) return undefined
  return ended.records / ((ended.time - begun.time) / 1000)
}

function entry(lines: readonly string[], message: string): { time: number; records: number } | undefined {
  const line = lines.find((line) => line.includes(`"msg":"${message}"`))
  if (line === undefined) return undefined
  const { time, records } = JSON.parse(line)
  return { time: new Date(time).getTime(), records }
}
