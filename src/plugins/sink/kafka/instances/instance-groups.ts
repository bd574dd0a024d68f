import type { InstanceGroup, Log } from '../../../../contract/index.js'
import { untilAborted } from '../../../../lib/async.js'
import { addressesOf } from '../probe/addresses.js'
import { securityOf } from '../probe/security.js'
import type { ClientConfig } from '../properties.js'
import { openCoordinator } from './coordinator.js'
import { KafkaInstanceGroup } from './instance-group.js'

/** The group in which the instances of a pipeline find each other. `group`: that of its position. */
export const instancesGroup = (group: string): string => `${group}.instances`

/**
 * The groups of the pipelines of a process on one cluster. If several processes run the same pipelines, one process must be
 * active for all of them: otherwise none would be ready, and a load balancer would have nowhere to send events to. So a
 * pipeline joins its group when those before it by name are active here, and leaves it when one of those becomes a standby.
 */
export class InstanceGroups {
  readonly #config: ClientConfig
  readonly #brokers: string
  readonly #groups = new Set<KafkaInstanceGroup>()
  #onChanged: (() => void)[] = []

  constructor(config: ClientConfig, brokers: string) {
    this.#config = config
    this.#brokers = brokers
  }

  of(pipeline: string, group: string, log: Log): InstanceGroup {
    const security = securityOf(this.#config)
    const bootstrap = addressesOf(this.#brokers)
    const instances: KafkaInstanceGroup = new KafkaInstanceGroup({
      pipeline,
      group,
      log,
      unable: typeof security === 'string' ? security : undefined,
      connect: (name, signal) =>
        openCoordinator(bootstrap, typeof security === 'string' ? {} : security, name, signal),
      isAllowed: () => !this.#before(pipeline).some(({ status }) => status === 'standby'),
      turn: (signal) => this.#turn(pipeline, signal),
      onChanged: () => this.#changed(instances),
    })
    return instances
  }

  #before(pipeline: string): KafkaInstanceGroup[] {
    return [...this.#groups].filter((other) => other.pipeline < pipeline)
  }

  async #turn(pipeline: string, signal: AbortSignal): Promise<void> {
    const isSettled = ({ status }: KafkaInstanceGroup) => status === 'active' || status === 'refused'
    while (!signal.aborted && !this.#before(pipeline).every(isSettled))
      await untilAborted(new Promise<void>((resolve) => void this.#onChanged.push(resolve)), signal)
  }

  #changed(instances: KafkaInstanceGroup): void {
    if (instances.status === 'left') this.#groups.delete(instances)
    else this.#groups.add(instances)
    const waiting = this.#onChanged
    this.#onChanged = []
    for (const resolve of waiting) resolve()
  }
}
