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
  type Schedule,
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
export const torture = (tortured: Tortured, options: Options, signal: AbortSignal): Promise<void> =>
  new Torture(tortured, options, signal).run()

class Torture {
  readonly #tortured: Tortured
  readonly #options: Options
  readonly #signal: AbortSignal
  readonly #rows: Schedule
  readonly #startedAt = performance.now()

  constructor(tortured: Tortured, options: Options, signal: AbortSignal) {
    this.#tortured = tortured
    this.#options = options
    this.#signal = signal
    this.#rows = schedule(options.seed, tortured.visitor !== undefined)
  }

  async run(): Promise<void> {
    const { instances, visitor } = this.#tortured
    const { victims } = this.#options
    const [first] = instances
    const followed: Promise<void>[] = []
    if (victims.has('headgate') && visitor !== undefined) followed.push(...this.#tortureGroup(visitor))
    if (victims.has('headgate') && visitor === undefined && first !== undefined)
      followed.push(...this.#tortureOne(first))
    if (victims.has('broker')) followed.push(this.#tortureBrokers())
    if (victims.has('cxone')) followed.push(this.#tortureCxone())
    if (victims.has('config')) followed.push(this.#changeConfigs())
    await Promise.all(followed)
  }

  #tortureOne({ headgate }: Instance): Promise<void>[] {
    return [
      this.#follow(this.#rows.headgate, (fault) => headgate.carryOut(fault)),
      ...(this.#options.workers > 0
        ? [this.#follow(this.#rows.workers, (fault) => this.#killWorker(fault))]
        : []),
    ]
  }

  #tortureGroup(visitor: Instance): Promise<void>[] {
    const { instances, faults } = this.#tortured
    return [
      ...instances.map(({ headgate }, index) =>
        this.#follow(this.#rows.instance(index), (fault) => headgate.carryOut(fault)),
      ),
      ...(this.#options.workers > 0
        ? [
            this.#follow(this.#rows.workers, async (fault) => {
              await this.#killWorker(fault)
              // Otherwise hardly a partition would have an owner.
              await this.#sleepAtMost(SESSION)
            }),
          ]
        : []),
      this.#follow(this.#rows.rolling, () =>
        faults.during('rolling restart', 'each instance was stopped and started in turn', () =>
          this.#restartAll(),
        ),
      ),
      this.#follow(this.#rows.visits, (fault) => {
        const end = fault.signal === 'SIGKILL' ? 'was killed' : 'left'
        const what = `one more instance joined, and ${end} after ${fault.lasts} s`
        return faults.during('instance joined and left', what, () => this.#visit(visitor, fault))
      }),
    ]
  }

  #tortureBrokers(): Promise<void> {
    return this.#follow(this.#rows.broker, (fault) => {
      const broker = fault.broker === undefined ? 'the coordinator' : `broker ${fault.broker + 1}`
      const what = `${broker} was ${fault.kind} for ${fault.lasts} s, and became in sync again`
      const kind = fault.broker === undefined ? 'coordinator' : 'broker'
      return this.#tortured.faults.during(`${kind} ${fault.kind}`, what, () => this.#disturbBroker(fault))
    })
  }

  #tortureCxone(): Promise<void> {
    return this.#follow(this.#rows.cxone, (fault) => {
      const kind = `CXone ${CXONE[fault.kind]}`
      const what = `${kind}${fault.lasts > 0 ? ` for ${fault.lasts} s` : ''}`
      return this.#tortured.faults.during(kind, what, () => this.#disturbCxone(fault))
    })
  }

  #changeConfigs(): Promise<void> {
    const { instances, faults } = this.#tortured
    return this.#follow(this.#rows.config, (change) =>
      faults.during('config changed', 'another config was put in place', async () =>
        instances[change.instance % instances.length]?.config.change(change),
      ),
    )
  }

  async #follow<Fault extends { readonly pause: number }>(
    row: Iterable<Fault>,
    carryOut: (fault: Fault) => Promise<void>,
  ): Promise<void> {
    for (const fault of row) {
      await this.#sleepAtMost(fault.pause)
      await this.#sleepAtMost(this.#rows.quietFor(this.#elapsed()))
      if (this.#elapsed() >= this.#options.seconds) return
      await carryOut(fault)
    }
  }

  async #disturbBroker({ kind, broker: index, lasts }: BrokerFault): Promise<void> {
    const { kafka } = this.#tortured
    const id = index === undefined ? await coordinatorOf(kafka.bootstrap) : index + 1
    const broker = kafka.brokers.find((each) => each.id === id)
    if (broker === undefined) return
    if (kind === 'killed') await broker.kill()
    else broker.pause()
    await this.#sleep(lasts)
    if (kind === 'killed') await broker.start()
    else broker.resume()
    // Another fault before that would leave two missing.
    const deadline = performance.now() + IN_SYNC_WITHIN
    while (!(await allInSync(kafka.bootstrap))) {
      if (performance.now() > deadline) throw new Error('The brokers did not get in sync again.')
      await wait(LOOK_EVERY, undefined, { signal: this.#signal })
    }
  }

  async #disturbCxone({ kind, lasts }: CxoneFault): Promise<void> {
    const { simulator } = this.#tortured
    simulator.order(kind)
    await this.#sleep(lasts)
    if (kind !== 'revoked') simulator.order('calm')
  }

  /** One after the other, as an upgrade does it. */
  async #restartAll(): Promise<void> {
    for (const { headgate } of this.#tortured.instances) {
      await headgate.stop()
      await headgate.start()
    }
  }

  /** Of one of the instances. */
  #killWorker({ worker }: WorkerFault): Promise<void> {
    const { instances, faults } = this.#tortured
    const { headgate } = instances[worker % instances.length] as Instance
    return faults.during('worker killed', 'a worker of Headgate was killed', async () =>
      headgate.killWorker(worker),
    )
  }

  async #visit({ headgate }: Instance, { lasts, signal: how }: Visit): Promise<void> {
    await headgate.start()
    await this.#sleep(lasts)
    await (how === 'SIGKILL' ? headgate.kill() : headgate.stop())
  }

  /** In seconds, as all times here. */
  #elapsed(): number {
    return (performance.now() - this.#startedAt) / 1000
  }

  #sleep(seconds: number): Promise<void> {
    return wait(seconds * 1000, undefined, { signal: this.#signal })
  }

  /** Not beyond the end of the run. */
  #sleepAtMost(seconds: number): Promise<void> {
    return this.#sleep(Math.min(seconds, Math.max(0, this.#options.seconds - this.#elapsed())))
  }
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
