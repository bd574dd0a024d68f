import { setTimeout as delay } from 'node:timers/promises'
import { type Deployment, eventText } from './deployment.js'

const PAUSE = 50

export interface ResendingSenders {
  /** Ids of the events with status 200. */
  readonly answered: ReadonlySet<string>
  /** The number of other responses, by status; 0 for no response. */
  readonly refusals: ReadonlyMap<number, number>
  /** Resolves when every started event has its 200. */
  finish(): Promise<void>
}

/** Senders that post one event after the other, each again and again until its response is 200. */
export function startSenders({ post }: Pick<Deployment, 'post'>, count = 16): ResendingSenders {
  const answered = new Set<string>()
  const refusals = new Map<number, number>()
  let going = true
  const status = (id: string): Promise<number> =>
    post(eventText(id, '{}')).then(
      (response) => response.status,
      () => 0,
    )
  const send = async (id: string): Promise<void> => {
    for (let last = await status(id); last !== 200; last = await status(id)) {
      refusals.set(last, (refusals.get(last) ?? 0) + 1)
      await delay(PAUSE)
    }
    answered.add(id)
  }
  const sender = async (name: number): Promise<void> => {
    for (let n = 0; going; n++) await send(`${name}-${n}`)
  }
  const all = Promise.all(Array.from({ length: count }, (_, name) => sender(name)))
  return {
    answered,
    refusals,
    async finish() {
      going = false
      await all
    },
  }
}
