import type { LoggedRecord, Position, RecordLog } from '../contract/index.js'
import { type FoundLetter, statusOf } from './find.js'
import { createHistory } from './history.js'
import { deadLetterOf } from './letter.js'

/** Visits the records of these letters, in the order of each partition. */
export async function readLetters(
  log: RecordLog,
  letters: readonly FoundLetter[],
  visit: (found: FoundLetter, record: LoggedRecord) => void,
): Promise<void> {
  const wanted = new Map<number, Map<number, FoundLetter>>()
  const from = new Map<number, Position>()
  for (const found of letters) {
    const { topic, partition, offset } = found.letter
    const here = wanted.get(partition) ?? new Map<number, FoundLetter>()
    wanted.set(partition, here.set(offset, found))
    if (offset < (from.get(partition)?.offset ?? Number.POSITIVE_INFINITY))
      from.set(partition, { topic, partition, offset })
  }
  await log.read([...from.values()], (record) => {
    const found = wanted.get(record.partition)?.get(record.offset)
    if (found !== undefined) visit(found, record)
  })
}

export type OneLetter =
  | { readonly kind: 'found'; readonly found: FoundLetter; readonly record: LoggedRecord }
  /** There is none, for this reason. */
  | { readonly kind: 'none'; readonly why: string }

/** Reads one dead letter of a pipeline, and what became of it. */
export async function readLetter(log: RecordLog, at: Position, pipeline: string): Promise<OneLetter> {
  const { topic, partition, offset } = at
  const place = `${partition}:${offset}`
  const here = (await log.partitions()).find((each) => each.topic === topic && each.partition === partition)
  if (here === undefined)
    return { kind: 'none', why: `Topic "${topic}" has no partition ${partition} for dead letters.` }
  if (offset < here.start || offset >= here.end) {
    const range =
      here.start === here.end ? 'nothing' : `${partition}:${here.start} to ${partition}:${here.end - 1}`
    return { kind: 'none', why: `There is no record at ${place} of topic "${topic}"; there is ${range}.` }
  }
  const history = createHistory(pipeline, offset)
  let record: LoggedRecord | undefined
  await log.read([at], (each) => {
    if (each.offset === offset) record = each
    history.see(each)
  })
  const letter = record && deadLetterOf(record)
  if (record === undefined || letter === undefined)
    return { kind: 'none', why: `What is at ${place} of topic "${topic}" is not a dead letter of Headgate.` }
  if (letter.pipeline !== pipeline)
    return {
      kind: 'none',
      why: `The dead letter at ${place} is of the pipeline "${letter.pipeline}", not "${pipeline}".`,
    }
  return {
    kind: 'found',
    found: { letter, status: statusOf(letter, new Map([[partition, history]])) },
    record,
  }
}
