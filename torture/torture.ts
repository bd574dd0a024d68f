import { setTimeout as wait } from 'node:timers/promises'
import { PIPELINE } from '../src/sandbox/routes.js'
import type { KafkaCluster } from '../test/helpers/kafka/cluster.js'
import { allInSync, leaderOf } from '../test/helpers/kafka/topics.js'
import type { KeptConfig } from './config.js'
import type { KeptHeadgate } from './headgate.js'
import type { Options } from './options.js'
import {
  type BrokerFault,
  type CxoneFault,
  type FaultLog,
  schedule,
  type Visit,
  type WorkerFault,
} from './schedule.js'
import type { Simulator } from './simulator.js'

/** Seconds until the group notices that a worker was killed. */
const SESSION = 15

/** One Headgate, with its config. */
export interface Instance {
  readonly headgate: KeptHeadgate
  readonly config: KeptConfig
  /** Of its webhook. */
  readonly url: string
  readonly admin: string
}

export interface Tortured {
  /** One without an inbox, or several that share one. */
  readonly instances: readonly Instance[]
  /** One more that comes and goes, if there are several. */
  readonly visitor: Instance | undefined
  readonly kafka: KafkaCluster
  readonly simulator: Simulator
  readonly faults: FaultLog
}

/** The partition of a group among those of the topic with the offsets: by the hash code of its name, as Java has it. */
const OFFSETS_PARTITIONS = 4
const GROUP = `headgate.${PIPELINE}`

const LOOK_EVERY = 250
const IN_SYNC_WITHIN = 90_000

/** Causes faults for as long as the options say. Resolves when the last one is over and everything runs again. */
export async function torture(
  { instances, visitor, kafka, simulator, faults }: Tortured,
  { seed, seconds, victims, workers }: Options,
  signal: AbortSignal,
): Promise<void> {
  const rows = schedule(seed, visitor !== undefined)
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
    const id = index === undefined ? await coordinatorOf(kafka.bootstrap) : index + 1
    const broker = kafka.brokers.find((each) => each.id === id)
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

  /** One after the other, as an upgrade does it. */
  async function restartAll(): Promise<void> {
    for (const { headgate } of instances) {
      await headgate.stop()
      await headgate.start()
    }
  }

  /** Of one of the instances. */
  function killWorker({ worker }: WorkerFault): Promise<void> {
    const { headgate } = instances[worker % instances.length] as Instance
    return faults.during('worker killed', 'a worker of Headgate was killed', async () =>
      headgate.killWorker(worker),
    )
  }

  async function visit({ headgate }: Instance, { lasts, signal: how }: Visit): Promise<void> {
    await headgate.start()
    await sleep(lasts)
    await (how === 'SIGKILL' ? headgate.kill() : headgate.stop())
  }

  const [first] = instances
  await Promise.all([
    ...(victims.has('headgate') && visitor === undefined && first !== undefined
      ? [follow(rows.headgate, first.headgate.carryOut), workers > 0 && follow(rows.workers, killWorker)]
      : []),
    ...(victims.has('headgate') && visitor !== undefined
      ? [
          ...instances.map(({ headgate }, index) => follow(rows.instance(index), headgate.carryOut)),
          workers > 0 &&
            follow(rows.workers, async (fault) => {
              await killWorker(fault)
              // Otherwise hardly a partition would have an owner.
              await sleep(Math.min(SESSION, Math.max(0, seconds - elapsed())))
            }),
          follow(rows.rolling, () =>
            faults.during('rolling restart', 'each instance was stopped and started in turn', restartAll),
          ),
          follow(rows.visits, (fault) => {
            const end = fault.signal === 'SIGKILL' ? 'was killed' : 'left'
            const what = `one more instance joined, and ${end} after ${fault.lasts} s`
            return faults.during('instance joined and left', what, () => visit(visitor, fault))
          }),
        ]
      : []),
    victims.has('broker') &&
      follow(rows.broker, (fault) => {
        const broker = fault.broker === undefined ? 'the coordinator' : `broker ${fault.broker + 1}`
        const what = `${broker} was ${fault.kind} for ${fault.lasts} s, and became in sync again`
        const kind = fault.broker === undefined ? 'coordinator' : 'broker'
        return faults.during(`${kind} ${fault.kind}`, what, () => disturbBroker(fault))
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
        faults.during('config changed', 'another config was put in place', async () =>
          instances[change.instance % instances.length]?.config.change(change),
        ),
      ),
  ])
}

/** The broker that leads the partition in which the offsets of the group are. */
function coordinatorOf(bootstrap: string): Promise<number> {
  let hash = 0
  for (const letter of GROUP) hash = (31 * hash + letter.charCodeAt(0)) | 0
  return leaderOf(bootstrap, '__consumer_offsets', (hash & 0x7fffffff) % OFFSETS_PARTITIONS)
}

const CXONE: { readonly [kind in CxoneFault['kind']]: string } = {
  throttled: 'answered 429',
  unavailable: 'answered 503',
  reset: 'reset connections',
  revoked: 'revoked its tokens',
}
