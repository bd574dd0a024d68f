const SEED = 0x9747b28c
const M = 0x5bd1e995

/** The partition that Kafka's Java client gives a key, and with it librdkafka's `murmur2_random`. */
export const partitionOf = (key: Buffer, partitions: number): number =>
  (murmur2(key) & 0x7fffffff) % partitions

/** As org.apache.kafka.common.utils.Utils.murmur2; a signed 32-bit integer. */
export function murmur2(data: Buffer): number {
  const { length } = data
  const words = length & ~3
  let hash = SEED ^ length
  for (let at = 0; at < words; at += 4) {
    const word = Math.imul(data.readInt32LE(at), M)
    hash = Math.imul(hash, M) ^ Math.imul(word ^ (word >>> 24), M)
  }
  if (words < length) {
    for (let at = length - 1; at >= words; at--) hash ^= (data[at] ?? 0) << (8 * (at - words))
    hash = Math.imul(hash, M)
  }
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}
