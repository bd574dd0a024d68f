import { randomUUID } from 'node:crypto'
import rdkafka from 'node-rdkafka'
import type { Connection } from './connection.js'
import { apiVersions } from './describe.js'
import { bool, int16, int64, text } from './wire.js'

const END_TXN = 26

/** The requests of a transaction that carries offsets of a group with its generation (KIP-447), and their versions for that. */
const NEEDED: readonly (readonly [name: string, key: number, version: number])[] = [
  ['InitProducerId', 22, 0],
  ['AddPartitionsToTxn', 24, 0],
  ['AddOffsetsToTxn', 25, 0],
  ['EndTxn', END_TXN, 0],
  ['TxnOffsetCommit', 28, 3],
]

const { ERRORS } = rdkafka.CODES
/** The broker looks for the transaction only after it has found that the user may end it. */
const ALLOWED: readonly number[] = [
  0,
  ERRORS.ERR_INVALID_PRODUCER_ID_MAPPING,
  ERRORS.ERR_NOT_COORDINATOR,
  ERRORS.ERR_COORDINATOR_NOT_AVAILABLE,
  ERRORS.ERR_COORDINATOR_LOAD_IN_PROGRESS,
]

/** `why`: requests that the cluster does not know, or its response. */
export type TransactionSupport =
  | { readonly kind: 'allowed' | 'not-allowed' }
  | { readonly kind: 'unsupported' | 'unknown'; readonly why: string }

/**
 * Whether the cluster has transactions, and whether the user may write with transactional ids that begin like this. It is asked
 * to end a transaction that does not exist, which changes nothing and creates nothing.
 */
export async function describeTransactions(
  connection: Pick<Connection, 'ask'>,
  prefix: string,
): Promise<TransactionSupport> {
  const versions = await apiVersions(connection)
  const lacking = NEEDED.filter(([, key, version]) => (versions.get(key) ?? -1) < version)
  if (lacking.length > 0)
    return {
      kind: 'unsupported',
      why: `it does not know the requests ${lacking.map(([name, , version]) => `${name} (version ${version})`).join(', ')}`,
    }
  const [producerId, epoch] = [int64(0), int16(0)]
  const body = [text(`${prefix}${randomUUID()}`), producerId, epoch, bool(false)]
  const response = await connection.ask(END_TXN, 1, body)
  response.int32()
  const error = response.int16()
  if (error === ERRORS.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED) return { kind: 'not-allowed' }
  return ALLOWED.includes(error)
    ? { kind: 'allowed' }
    : { kind: 'unknown', why: `the broker responds with error ${error}` }
}
