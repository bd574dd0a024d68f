import type { Committed } from '../contract/index.js'
import { digestOf } from '../ledger/identity.js'
import { type Ledger, noLedger } from '../ledger/ledger.js'
import { committedOf } from '../ledger/rows.js'

/**
 * Remembers no event from one run to the next, and owes nothing: what would be owed is told to `owe`. It never has
 * anything to give to an acknowledger.
 */
export const rehearsalLedger = (owe: (committed: Committed) => void): Ledger => ({
  ...noLedger,
  async once(event, deliver) {
    const outcome = await deliver(digestOf(event.body.bytes))
    if (outcome.kind === 'dropped') owe(committedOf(event))
    else if ('receipt' in outcome) owe(committedOf(event, outcome.receipt))
    return outcome
  },
})
