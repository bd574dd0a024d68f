/**
 * Loaded into a Headgate process before its own program. All but one module is the shipped code. The program itself
 * has no switch for this, so that no operator can run it without a ledger.
 */
import { register } from 'node:module'

register('./resolve.js', import.meta.url)
