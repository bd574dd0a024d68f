import type { InstanceGroup, Log } from '../../../../contract/index.js'
import { untilAborted } from '../../../../lib/async.js'
import type { Coordinators } from '../protocol/coordinators.js'
import { KafkaInstanceGroup } from './instance-group.js'

/** The group in which the instances of a pipeline find each other. `group`: that of its position. */
export const instancesGroup = (group: string): string => `${group}.instances`

/**
 * The groups of the pipelines of a process on one cluster. If several processes run the same pipelines, one process must be
 * active for all of them: otherwise none would be ready, and a load balancer would have nowhere to send events to. So a
 * pipeline joins its group when those before it by name are active here, and leaves it when one of those becomes a standby.
 */
export class InstanceGroups {
  readonly #coordinators: Coordinators | string
  readonly #groups = new Set<KafkaInstanceGroup>()
  #onChanged: (() => void)[] = []

  /** `coordinators`: or why only librdkafka can connect. */
  constructor(coordinators: Coordinators | string) {
    this.#coordinators = coordinators
  }

  of(pipeline: string, group: string, log: Log): InstanceGroup {
    const instances: KafkaInstanceGroup = new KafkaInstanceGroup({
      pipeline,
      group,
      log,
      coordinators: this.#coordinators,
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
