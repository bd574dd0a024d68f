import { nextMessage, startChild, stopChild } from '../bench/programs/child.js'
import type { CxoneNews, CxoneOrder } from './cxone.js'

/** The number of acknowledgements of an id, and the time of the first: milliseconds since 1970. */
export interface Acknowledged {
  readonly times: number
  readonly firstAt: number
}

/** The CXone simulator, in a process of its own. */
export interface Simulator {
  readonly pid: number
  readonly url: string
  /** Lags a little behind the acknowledgements. */
  readonly acknowledged: ReadonlyMap<string, Acknowledged>
  readonly responses: CxoneNews['responses']
  order(order: Exclude<CxoneOrder, 'tell'>): void
  /** Resolves when all acknowledgements until now are known. */
  caughtUp(): Promise<void>
  stop(): Promise<void>
}

export async function startSimulator(credentials: { readonly [name: string]: string }): Promise<Simulator> {
  const child = startChild(new URL('cxone.js', import.meta.url), credentials)
  const { url } = await nextMessage<{ url: string }>(child)
  const acknowledged = new Map<string, Acknowledged>()
  let responses: CxoneNews['responses'] = {}
  let onTold = () => {}
  child.on('message', (news: CxoneNews) => {
    for (const [id, at] of news.acknowledged) {
      const known = acknowledged.get(id)
      acknowledged.set(id, { times: (known?.times ?? 0) + 1, firstAt: known?.firstAt ?? at })
    }
    responses = news.responses
    if (news.told) onTold()
  })
  const send = (order: CxoneOrder) => void child.send(order)
  return {
    pid: child.pid as number,
    url,
    acknowledged,
    get responses() {
      return responses
    },
    order: send,
    caughtUp: () =>
      new Promise((resolve) => {
        onTold = resolve
        send('tell')
      }),
    stop: () => stopChild(child),
  }
}
