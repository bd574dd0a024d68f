import { onTestFinished } from 'vitest'
import { type Cxone, startCxone } from '../../../src/sandbox/cxone.js'
import { type HeadgateProcess, startHeadgate } from '../../../src/sandbox/headgate-process.js'
import { startKafka } from '../../../src/sandbox/kafka.js'
import { TOPICS } from '../../../src/sandbox/routes.js'

/** The token of the sender that the shipped config asks for. */
export const TOKEN = 'token'

/** A program of Headgate on a config with the shipped variables, an embedded Kafka and a simulated CXone of this test's own. */
export async function startSandboxed(
  program: string,
  config: string,
  env: { readonly [name: string]: string } = {},
): Promise<{ readonly headgate: HeadgateProcess; readonly cxone: Cxone; readonly bootstrap: string }> {
  const kafka = await startKafka(TOPICS)
  onTestFinished(() => kafka.stop())
  const cxone = await startCxone({ clientId: 'id', clientSecret: 'secret' })
  onTestFinished(() => cxone.close())
  const headgate = await startHeadgate({
    program,
    config,
    // A bound, not a wait: a start with workers loads three programs, and a busy machine takes its time.
    within: 45_000,
    env: {
      KAFKA_BROKERS: kafka.bootstrap,
      CXONE_BASE_URL: cxone.url,
      CXONE_CLIENT_ID: 'id',
      CXONE_CLIENT_SECRET: 'secret',
      WEBHOOK_TOKEN: TOKEN,
      ...env,
    },
  })
  onTestFinished(async () => void (await headgate.stop()))
  return { headgate, cxone, bootstrap: kafka.bootstrap }
}
