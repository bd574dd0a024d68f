import { HeadgateError } from '../contract/errors.js'
import type { LedgerInstances } from '../ledger/ledger.js'
import type { PrimaryPipeline } from '../pipeline/pipeline.js'
import { errorResponse, get, json, type Route } from './routes.js'

export interface InstancesHost {
  running(): readonly { readonly name: string; readonly ledger: Asked }[]
  redact(text: string): string
}

/** Milliseconds for which the result of a look is good: each asks several brokers, and may read from an inbox. */
const GOOD_FOR = 5000

type Asked = Pick<PrimaryPipeline['ledger'], 'instances'>

/** The instances of a pipeline. Those who ask at about the same time share a look. */
export function instancesRoutes({ running, redact }: InstancesHost): Route[] {
  const looks = new WeakMap<Asked, Look>()
  return [
    get('/pipelines/{name}/instances', async ({ params: { name = '' } }) => {
      const ledger = running().find((pipeline) => pipeline.name === name)?.ledger
      if (ledger === undefined) return errorResponse(404, `There is no pipeline ${name}.`)
      const look = looks.get(ledger) ?? new Look(ledger)
      looks.set(ledger, look)
      try {
        return json(200, await look.result())
      } catch (thrown) {
        if (!(thrown instanceof HeadgateError)) throw thrown
        return errorResponse(503, redact(`${thrown.code}: ${thrown.message}`))
      }
    }),
  ]
}

class Look {
  readonly #ledger: Asked
  #result: Promise<LedgerInstances> | undefined

  constructor(ledger: Asked) {
    this.#ledger = ledger
  }

  result(): Promise<LedgerInstances> {
    this.#result ??= this.#look()
    return this.#result
  }

  async #look(): Promise<LedgerInstances> {
    try {
      return await this.#ledger.instances()
    } finally {
      setTimeout(() => {
        this.#result = undefined
      }, GOOD_FOR).unref()
    }
  }
}
