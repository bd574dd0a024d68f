import type { LoggedRecord, Sink } from '../contract/index.js'
import { digestOf } from '../ledger/identity.js'
import { HEADER } from '../ledger/record-headers.js'
import { parseRequestText } from '../pipeline/request-parts.js'
import type { PastEvent } from './compare.js'
import type { DryRun } from './dry-run.js'

/** The events of a topic's records. */
interface PastRecords {
  readonly events: readonly PastEvent[]
  /** Number of `events` that were rebuilt, because the record has only a part of the event. */
  readonly rebuilt: number
  /** Number of records of the pipeline that cannot be turned into events. */
  readonly unusable: number
  /** Number of records that this pipeline did not write. */
  readonly foreign: number
}

/**
 * Turns records back into events. If the digest shows that the value is the whole body, nothing is missing. Otherwise the event is
 * rebuilt from the parts in the record, and used only if a dry run of it results in the same record.
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
    const request = parseRequestText(record.header(HEADER.request))
    const base = { pipeline, id, name: id, ...(request !== undefined && { request }) }
    if (digestOf(record.value) === record.header(HEADER.digest)) {
      events.push({ ...base, contentType: record.header(HEADER.contentType), body: record.value })
      continue
    }
    const body = rebuild?.(record)
    if (body !== undefined && (await reproduces(dryRun, { ...base, body }, record, revision))) {
      rebuilt++
      events.push({ ...base, body })
    } else unusable++
  }
  return { events, rebuilt, unusable, foreign }
}

/** If the same revision wrote the record, the same rule has to match; under another revision, another rule may match. */
async function reproduces(
  dryRun: DryRun,
  { pipeline, id, body, name, request }: PastEvent,
  record: LoggedRecord,
  revision: string,
): Promise<boolean> {
  const { records, route } = await dryRun.run(pipeline, { headers: {}, ...request, body }, { id: id ?? name })
  const [result] = records
  if (result === undefined || result.deadLetter) return false
  const sameRule = record.header(HEADER.revision) !== revision || record.header(HEADER.route) === route
  return sameRule && result.value.equals(record.value) && result.key === (record.key?.toString() ?? null)
}
