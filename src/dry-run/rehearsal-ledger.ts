import type { Committed } from '../contract/index.js'
import { committed } from '../ledger/committed.js'
import { digestOf } from '../ledger/digest.js'
import type { Ledger } from '../ledger/ledger.js'
import { noLedger } from '../ledger/no-ledger.js'

/**
 * Remembers no event from one run to the next, and owes nothing: what would be owed is told to `owe`. It never has
 * anything to give to an acknowledger.
 */
export const rehearsalLedger = (owe: (committed: Committed) => void): Ledger => ({
  ...noLedger,
  async once(event, deliver) {
    const outcome = await deliver(digestOf(event.body.bytes))
    if (outcome.kind === 'dropped') owe(committed(event))
    else if ('receipt' in outcome) owe(committed(event, outcome.receipt))
    return outcome
  },
})
