import rdkafka from 'node-rdkafka'

/** What records in Kafka can be compressed with, and what librdkafka needs to be built with it. */
const CODECS: ReadonlyMap<string, string> = new Map([
  ['gzip', 'zlib1g-dev'],
  ['snappy', ''],
  ['lz4', ''],
  ['zstd', 'libzstd-dev'],
])

/** The codecs that a build of librdkafka lacks: it cannot read records that are compressed with them. */
export const missingCodecs = (features: readonly string[] = rdkafka.features): readonly string[] =>
  [...CODECS.keys()].filter((codec) => !features.includes(codec))

/** What to do about codecs that are missing, in one sentence. */
export function codecRemedy(codecs: readonly string[]): string {
  const packages = codecs.flatMap((codec) => CODECS.get(codec) || [])
  const install = packages.length === 0 ? '' : `Install ${packages.join(' and ')} and run`
  return `${install || 'Run'} "npm rebuild node-rdkafka".`
}

/** Why records cannot be read that librdkafka has no codec for. */
export function unreadable(codecs: readonly string[] = missingCodecs()): string {
  if (codecs.length === 0)
    return 'records of the topic are compressed in a way that the Kafka client cannot read'
  const remedy = codecRemedy(codecs).replace(/\.$/, '')
  return `records of the topic are compressed, and the Kafka client of this installation was built without ${codecs.join(', ')}. ${remedy}`
}
