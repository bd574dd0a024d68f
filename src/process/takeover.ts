import { setTimeout as delay } from 'node:timers/promises'
import { HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import type { HandingOver, HandOver } from '../ledger/hand-over.js'
import { openStateDirectory, requestState, type StateDirectory } from '../ledger/state-directory.js'

/** Milliseconds. The previous process may still close files after its shutdown timeout. */
const MARGIN = 5000
const RETRY_EVERY = 20

/** Why HEADGATE_TAKEOVER cannot be used with this Node.js; undefined if it can. */
export function takeoverProblem(nodeVersion: string): string | undefined {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number)
  const hasReusePort = major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12)
  if (hasReusePort) return undefined
  return `HEADGATE_TAKEOVER (--takeover) needs Node.js 22.12 or later (of 23: 23.1), in which two processes can listen at the same port (SO_REUSEPORT); this is ${nodeVersion}. Use a later one, or socket activation (LISTEN_FDS, docs/operations.md), which works with every version.`
}

/**
 * Opens the state directory. If another process uses it, asks that process to stop, and waits. Rejects with HG_STATE_LOCKED if
 * the other process refuses, or has not stopped within its shutdown timeout.
 */
export async function takeOverState(path: string, log: Log, handOver: HandOver): Promise<StateDirectory> {
  const old = await requestState(path)
  if (old === undefined) return openStateDirectory(path, log, handOver)
  log.info(
    { event: 'taking-over', pid: old.pid, within: old.within },
    'another process was asked to hand over, and stops now',
  )
  const began = performance.now()
  const deadline = began + old.within + MARGIN
  await Promise.race([old.unlocked, delay(deadline - began, undefined, { ref: false })])
  for (;;) {
    try {
      const state = await openStateDirectory(path, log, handOver)
      const waited = Math.round(performance.now() - began)
      log.info({ event: 'taken-over', pid: old.pid, waited }, 'the other process has handed over')
      return state
    } catch (error) {
      // The other process unlocks the directory in several steps.
      if (!(error instanceof HeadgateError) || error.code !== 'HG_STATE_LOCKED') throw error
      if (performance.now() >= deadline) throw notHandedOver(path, old)
      await delay(RETRY_EVERY)
    }
  }
}

function notHandedOver(path: string, { pid, within }: HandingOver): HeadgateError {
  const seconds = Math.round((within + MARGIN) / 1000)
  return new HeadgateError(
    'HG_STATE_LOCKED',
    `The process ${pid} has agreed to hand over the state directory ${path}, and still uses it ${seconds} s later. Its log says what it waits for; end it, then start again.`,
  )
}
