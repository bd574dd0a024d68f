import { HeadgateError } from '../contract/errors.js'
import type { BodyMemory, HttpHandler, HttpListener } from '../contract/index.js'
import { InFlight } from '../lib/async.js'
import type { Owner, Route } from './exchange.js'

interface OfferedRoute extends Route {
  offered: boolean
}

export interface RouteLimits {
  readonly memory: BodyMemory
  readonly maxBodyMemory: number
  /** How many workers share the address; absent if one process has it to itself. */
  readonly sharedBy?: number | undefined
}

/** The paths of a listener. */
export class Routes {
  readonly limits: RouteLimits
  /** The first route of each path serves it; the others did, and take over again when it ends. */
  readonly #byPath = new Map<string, readonly OfferedRoute[]>()

  constructor(limits: RouteLimits) {
    this.limits = limits
  }

  /** The route that serves the path now. */
  find(path: string): Route | undefined {
    return this.#byPath.get(path)?.[0]
  }

  add(path: string, handler: HttpHandler, { pipeline, onResponse }: Owner): OfferedRoute {
    const others = this.#byPath.get(path) ?? []
    const taken = others.find((route) => route.pipeline !== pipeline && !route.offered)
    if (taken !== undefined) {
      throw new HeadgateError('HG_CONFIG_CONFLICT', `Pipeline "${taken.pipeline}" already serves ${path}.`)
    }
    const { maxBodyMemory, sharedBy } = this.limits
    // Such a body could never arrive, and its sender would be told to try again for ever.
    if (handler.maxBodyBytes > maxBodyMemory) {
      throw new HeadgateError(
        'HG_CONFIG_CONFLICT',
        `The source of pipeline "${pipeline}" accepts bodies of ${handler.maxBodyBytes} bytes, and HEADGATE_MAX_BODY_MEMORY allows ${maxBodyMemory} for all${sharedBy === undefined ? '' : ', which is its share for each of the workers'}.`,
      )
    }
    const route = { pipeline, handler, onResponse, requests: new InFlight(), offered: false }
    this.#byPath.set(path, [route, ...others])
    return route
  }

  remove(path: string, route: Route): void {
    const left = (this.#byPath.get(path) ?? []).filter((other) => other !== route)
    if (left.length > 0) this.#byPath.set(path, left)
    else this.#byPath.delete(path)
  }
}

/** The listener as one source sees it, and the paths that it serves there. */
export class SourcePaths implements HttpListener {
  readonly memory: BodyMemory
  readonly sharedBy?: number
  readonly #routes: Routes
  readonly #owner: Owner
  readonly #own: { readonly path: string; readonly route: OfferedRoute }[] = []

  constructor(routes: Routes, owner: Owner) {
    const { memory, sharedBy } = routes.limits
    this.memory = memory
    if (sharedBy !== undefined) this.sharedBy = sharedBy
    this.#routes = routes
    this.#owner = owner
  }

  serve(path: string, handler: HttpHandler): () => void {
    const route = this.#routes.add(path, handler, this.#owner)
    this.#own.push({ path, route })
    return () => this.#routes.remove(path, route)
  }

  /** From now on a source of another pipeline may take the paths over; one of the same pipeline always may. */
  offer(): void {
    for (const { route } of this.#own) route.offered = true
  }

  /**
   * Takes no more requests. Resolves when all earlier ones have their responses, or their senders have left: they still
   * reach the source.
   */
  async withdraw(): Promise<void> {
    for (const { path, route } of this.#own) this.#routes.remove(path, route)
    await Promise.all(this.#own.map(({ route }) => route.requests.drained()))
  }
}
