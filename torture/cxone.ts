/**
 * The CXone simulator in a process of its own, so that its storms do not hold up the sender. Reports its URL, then
 * each acknowledged id with its time; carries out each `CxoneOrder`.
 */
import { variable } from '../bench/programs/variable.js'
import { type Fault, startCxone } from '../src/sandbox/cxone.js'

export type CxoneOrder = 'calm' | 'throttled' | 'unavailable' | 'reset' | 'revoked' | 'tell'

export interface CxoneNews {
  /** Ids, each with the time in milliseconds since 1970, in order. */
  readonly acknowledged: readonly (readonly [string, number])[]
  /** The responses of the acknowledge endpoint so far, by status. */
  readonly responses: { readonly [status: string]: number }
  /** The reply to `tell`: everything until now. */
  readonly told: boolean
}

const FAULTS: { readonly [order in CxoneOrder]?: Fault } = {
  throttled: { status: 429, headers: { 'retry-after': '1' } },
  unavailable: { status: 503 },
  reset: 'reset',
}
/** In a storm, one request in so many gets its usual response. */
const EYE = 10
const NEWS_EVERY = 100

let acknowledged: [string, number][] = []
const cxone = await startCxone({
  clientId: variable('CXONE_CLIENT_ID'),
  clientSecret: variable('CXONE_CLIENT_SECRET'),
  onAcknowledged: (id) => acknowledged.push([id, Date.now()]),
})

function tell(told: boolean): void {
  const news: CxoneNews = { acknowledged, responses: Object.fromEntries(cxone.responses), told }
  acknowledged = []
  process.send?.(news)
}

function* storm(fault: Fault): Iterable<Fault> {
  for (let request = 1; ; request++) yield request % EYE === 0 ? undefined : fault
}

process.on('message', (order: CxoneOrder) => {
  if (order === 'tell') tell(true)
  else if (order === 'revoked') cxone.revokeTokens()
  else cxone.script('acknowledge', order === 'calm' ? [] : storm(FAULTS[order]))
})
process.on('disconnect', () => process.exit())
process.send?.({ url: cxone.url })
setInterval(() => {
  if (acknowledged.length > 0) tell(false)
}, NEWS_EVERY)
