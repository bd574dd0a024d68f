/** For `--import`: has a Headgate process load `ledger-stand-in.ts` where it asks for the durable ledger. */
export const WITHOUT_LEDGER = new URL('replace-ledger.js', import.meta.url).href

/** What a process says in which that has happened. */
export const LEDGER_REPLACED = 'The ledger is a stand-in that keeps nothing.'
