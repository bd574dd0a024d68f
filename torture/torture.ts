import { setTimeout as wait } from 'node:timers/promises'
import type { KafkaCluster } from '../test/helpers/kafka/cluster.js'
import { allInSync } from '../test/helpers/kafka/topics.js'
import type { KeptConfig } from './config.js'
import type { KeptHeadgate } from './headgate.js'
import type { Options } from './options.js'
import { type BrokerFault, type CxoneFault, type FaultLog, schedule } from './schedule.js'
import type { Simulator } from './simulator.js'

export interface Tortured {
  readonly headgate: KeptHeadgate
  readonly kafka: KafkaCluster
  readonly simulator: Simulator
  readonly faults: FaultLog
  readonly config: KeptConfig
}

const LOOK_EVERY = 250
const IN_SYNC_WITHIN = 90_000

/** Causes faults for as long as the options say. Resolves when the last one is over and everything runs again. */
export async function torture(
  { headgate, kafka, simulator, faults, config }: Tortured,
  { seed, seconds, victims, workers }: Options,
  signal: AbortSignal,
): Promise<void> {
  const rows = schedule(seed)
  const startedAt = performance.now()
  const elapsed = () => (performance.now() - startedAt) / 1000
  const sleep = (seconds: number) => wait(seconds * 1000, undefined, { signal })

  async function follow<Fault extends { readonly pause: number }>(
    row: Iterable<Fault>,
    carryOut: (fault: Fault) => Promise<void>,
  ): Promise<void> {
    for (const fault of row) {
      await sleep(Math.min(fault.pause, Math.max(0, seconds - elapsed())))
      await sleep(Math.min(rows.quietFor(elapsed()), Math.max(0, seconds - elapsed())))
      if (elapsed() >= seconds) return
      await carryOut(fault)
    }
  }

  async function disturbBroker({ kind, broker: index, lasts }: BrokerFault): Promise<void> {
    const broker = kafka.brokers[index % kafka.brokers.length]
    if (broker === undefined) return
    if (kind === 'killed') await broker.kill()
    else broker.pause()
    await sleep(lasts)
    if (kind === 'killed') await broker.start()
    else broker.resume()
    // Another fault before that would leave two missing.
    const deadline = performance.now() + IN_SYNC_WITHIN
    while (!(await allInSync(kafka.bootstrap))) {
      if (performance.now() > deadline) throw new Error('The brokers did not get in sync again.')
      await wait(LOOK_EVERY, undefined, { signal })
    }
  }

  async function disturbCxone({ kind, lasts }: CxoneFault): Promise<void> {
    simulator.order(kind)
    await sleep(lasts)
    if (kind !== 'revoked') simulator.order('calm')
  }

  await Promise.all([
    victims.has('headgate') && follow(rows.headgate, headgate.carryOut),
    victims.has('headgate') &&
      workers > 0 &&
      follow(rows.workers, ({ worker }) =>
        faults.during('worker killed', 'a worker of Headgate was killed', async () =>
          headgate.killWorker(worker),
        ),
      ),
    victims.has('broker') &&
      follow(rows.broker, (fault) => {
        const what = `broker ${fault.broker + 1} was ${fault.kind} for ${fault.lasts} s, and became in sync again`
        return faults.during(`broker ${fault.kind}`, what, () => disturbBroker(fault))
      }),
    victims.has('cxone') &&
      follow(rows.cxone, (fault) =>
        faults.during(
          `CXone ${CXONE[fault.kind]}`,
          `CXone ${CXONE[fault.kind]}${fault.lasts > 0 ? ` for ${fault.lasts} s` : ''}`,
          () => disturbCxone(fault),
        ),
      ),
    victims.has('config') &&
      follow(rows.config, (change) =>
        faults.during('config changed', 'another config was put in place', async () => config.change(change)),
      ),
  ])
}

const CXONE: { readonly [kind in CxoneFault['kind']]: string } = {
  throttled: 'answered 429',
  unavailable: 'answered 503',
  reset: 'reset connections',
  revoked: 'revoked its tokens',
}
