import { onTestFinished } from 'vitest'
import { type Admin, openAdmin } from '../../src/admin/admin.js'
import type { Route } from '../../src/admin/routes.js'
import type { Context } from '../../src/contract/index.js'
import { testContext } from '../helpers/context.js'

/** An admin listener with these routes, whose own have nothing to say. Closed with the test. */
export async function idleAdmin(
  routes: Route[],
  { log }: Pick<Context, 'log'> = testContext(),
  open: readonly string[] = [],
): Promise<Admin> {
  const admin = await openAdmin(
    { host: '127.0.0.1', port: 0, tokenFile: '', open, log },
    {
      notReady: () => [],
      metrics: async () => ({ contentType: 'text/plain', text: '' }),
      details: () => ({}),
      ledgers: async () => ({}),
      retryFailed: async () => ({}),
      reload: async () => ({ done: {} }),
    },
    routes,
  )
  onTestFinished(() => admin.close())
  return admin
}
