import type { LoggedRecord, Position, RecordLog } from '../contract/index.js'

const ENOUGH = new Error('enough has been read')

/** Reads from a position until `visit` says that it has seen enough, or to the end of the partition. */
export async function readUntil(
  log: RecordLog,
  from: Position,
  visit: (record: LoggedRecord) => boolean,
): Promise<void> {
  try {
    await log.read([from], (record) => {
      if (visit(record)) throw ENOUGH
    })
  } catch (thrown) {
    if (thrown !== ENOUGH) throw thrown
  }
}
