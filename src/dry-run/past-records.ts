import type { LoggedRecord, Sink } from '../contract/index.js'
import { digestOf } from '../ledger/identity.js'
import { HEADER } from '../ledger/record-headers.js'
import type { PastEvent } from './compare.js'
import type { DryRun } from './dry-run.js'

/** What became of the records of a topic. */
interface PastRecords {
  readonly events: readonly PastEvent[]
  /** Of `events`: those of which the record has only a part. */
  readonly rebuilt: number
  /** Records of the pipeline that no event can be made of. */
  readonly unusable: number
  /** Records that others wrote. */
  readonly foreign: number
}

/**
 * Makes events of records again. Where the value is the whole body, as its digest tells, nothing is missing. Otherwise the
 * event is rebuilt from what the record has, and used only where the config makes the very same record of it.
 */
export async function pastRecords(
  records: readonly LoggedRecord[],
  pipeline: string,
  rebuild: Sink['rebuild'],
  dryRun: DryRun,
  revision: string,
): Promise<PastRecords> {
  const events: PastEvent[] = []
  let [rebuilt, unusable, foreign] = [0, 0, 0]
  for (const record of records) {
    const id = record.header(HEADER.id)
    if (id === undefined || record.header(HEADER.pipeline) !== pipeline) {
      foreign++
      continue
    }
    const base = { pipeline, id, name: id }
    if (digestOf(record.value) === record.header(HEADER.digest)) {
      events.push({ ...base, body: record.value })
      continue
    }
    const body = rebuild?.(record)
    if (body !== undefined && (await makesAgain(dryRun, { ...base, body }, record, revision))) {
      rebuilt++
      events.push({ ...base, body })
    } else unusable++
  }
  return { events, rebuilt, unusable, foreign }
}

/** Under the config that wrote the record, its rule has to decide again too; under another one, another may. */
async function makesAgain(
  dryRun: DryRun,
  { pipeline, id, body, name }: PastEvent,
  record: LoggedRecord,
  revision: string,
): Promise<boolean> {
  const { records, route } = await dryRun.run(pipeline, { headers: {}, body }, { id: id ?? name })
  const [made] = records
  if (made === undefined || made.deadLetter) return false
  const sameRule = record.header(HEADER.revision) !== revision || record.header(HEADER.route) === route
  return sameRule && made.value.equals(record.value) && made.key === (record.key?.toString() ?? null)
}
