/** For `--import`: makes a Headgate process load `ledger.ts` of this folder instead of the durable ledger. */
export const WITHOUT_LEDGER = new URL('replace-ledger.js', import.meta.url).href

/** The line that such a process prints. */
export const LEDGER_REPLACED = 'The ledger is a stand-in that keeps nothing.'
