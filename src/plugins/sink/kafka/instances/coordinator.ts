import { findCoordinator } from '../group-requests.js'
import { type Address, type Connection, openConnection } from '../probe/connection.js'
import type { Security } from '../probe/security.js'

/** The broker that has a consumer group. */
export interface Coordinator {
  readonly connection: Connection
  /** One more connection to it. */
  again(signal: AbortSignal): Promise<Connection>
}

/** Asks one bootstrap broker after the other. Rejects with the reason of the last; `signal` closes the connections. */
export async function openCoordinator(
  bootstrap: readonly Address[],
  security: Security,
  group: string,
  signal: AbortSignal,
): Promise<Coordinator> {
  let reason: unknown
  for (const address of bootstrap) {
    try {
      const first = await openConnection(address, security, signal)
      const found = await findCoordinator(first, group).finally(() => first.close())
      const again = (until: AbortSignal) => openConnection(found, security, until)
      return { connection: await again(signal), again }
    } catch (error) {
      signal.throwIfAborted()
      reason = error
    }
  }
  throw reason
}
