import { onTestFinished, vi } from 'vitest'
import type { PostCommit } from '../../../../src/contract/index.js'
import { cxoneAck } from '../../../../src/plugins/post-commit/cxone-ack/index.js'
import { type Cxone, type CxoneOptions, type Fault, startCxone } from '../../../../src/sandbox/cxone.js'
import { fillDefaults, type TestContext, testContext } from '../../../helpers/context.js'

export const credentials = { clientId: 'App@Vendör', clientSecret: 'très secret+/=&' }

/** The plugin, told to talk to `baseUrl`; stopped when the test has finished. */
export function createAck(baseUrl: string, config: object = {}): { ack: PostCommit; context: TestContext } {
  const context = testContext()
  const ack = cxoneAck.create(fillDefaults(cxoneAck, { baseUrl, ...credentials, ...config }), context)
  onTestFinished(() => {
    context.abort()
    return ack.stop?.()
  })
  return { ack, context }
}

/** The plugin in front of a simulator of its own. */
export async function startAck(
  config: object = {},
  options: Partial<CxoneOptions> = {},
): Promise<{ cxone: Cxone; ack: PostCommit; context: TestContext }> {
  const cxone = await startCxone({ ...credentials, tokenLifetime: 3600, ...options })
  onTestFinished(() => cxone.close())
  return { cxone, ...createAck(cxone.url, config) }
}

/** The same fault for every request. */
export function* always(fault: Fault): Iterable<Fault> {
  for (;;) yield fault
}

/** Moves the monotonic clock of the plugin and of the simulator: they share this process. */
export function movableClock(): { advance(milliseconds: number): void } {
  const real = performance.now.bind(performance)
  let offset = 0
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => real() + offset)
  onTestFinished(() => spy.mockRestore())
  return {
    advance(milliseconds) {
      offset += milliseconds
    },
  }
}
