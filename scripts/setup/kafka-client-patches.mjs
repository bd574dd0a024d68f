// Patches for faults of node-rdkafka that no release mends yet. When package-lock.json gets a version that mends one, `patchSources`
// fails, and that patch can go.
import { createHash } from 'node:crypto'
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from './step.mjs'

const PATCHES = [
  {
    // Each transaction loses some 100 bytes for each of its partitions: an inbox gigabytes in a day. Other calls that take positions
    // delete them when they end, such as KafkaConsumerCommitted; this one does not (3.6.1).
    file: 'src/workers.cc',
    old: 'ProducerSendOffsetsToTransaction::~ProducerSendOffsetsToTransaction() {}',
    new: `ProducerSendOffsetsToTransaction::~ProducerSendOffsetsToTransaction() {
  RdKafka::TopicPartition::destroy(m_topic_partitions);
}`,
  },
]

/** Changes with each patch. */
export const PATCHES_ID = createHash('sha256').update(JSON.stringify(PATCHES)).digest('hex').slice(0, 12)

/** Patches the sources in the folder of the package; a file that is patched stays as it is. */
export function patchSources(folder) {
  for (const patch of PATCHES) {
    const file = join(folder, patch.file)
    const source = readFileSync(file, 'utf8')
    if (source.includes(patch.new)) continue
    const parts = source.split(patch.old)
    if (parts.length !== 2)
      throw new SetupError(
        `${file} has ${parts.length - 1} places for the patch "${patch.old}", where one was expected: see scripts/setup/kafka-client-patches.mjs.`,
      )
    // At once, for a test and a package may do this at the same time.
    writeFileSync(`${file}.${process.pid}`, parts.join(patch.new))
    renameSync(`${file}.${process.pid}`, file)
  }
}

/** When the sources were patched, in milliseconds since the epoch: what was compiled before lacks it. Undefined if they are not. */
export function patchedAt(folder) {
  const files = PATCHES.map((patch) => ({ ...patch, path: join(folder, patch.file) }))
  if (!files.every((patch) => readFileSync(patch.path, 'utf8').includes(patch.new))) return undefined
  return Math.max(...files.map(({ path }) => statSync(path).mtimeMs))
}
