import type { Admin } from './admin/admin.js'
import { endsWithin, untilAborted } from './lib/async.js'
import { FileWatch } from './lib/file-watch.js'
import type { Unfinished } from './pipeline/lifecycle.js'
import type { Why } from './pipeline/reload/reloader.js'
import { type AppOptions, type Composition, compose, type Phase } from './process/compose.js'
import { LAST_REQUESTS } from './process/ports.js'
import { requireCompatible } from './process/service-manager.js'

/** Milliseconds that connections wait for the pipelines after a takeover. Afterwards the sources give the reason. */
const RELEASE_TIMEOUT = 5000

/**
 * The life of the process:
 *
 * 1. Compose: opens the certificates and the state directory, and builds the pipelines and the pool of workers. With
 *    HEADGATE_TAKEOVER both ports open first, and the process that uses the state directory stops.
 * 2. Admin: opens its port. /health answers; /ready gives the reasons.
 * 3. Pipelines: each starts by itself, in a transition that adds it (`pipeline/reload/transition.ts`).
 * 4. Intake: opens its port, or starts the workers, which listen.
 * 5. Watch: the config, the files that it names, and the certificates.
 *
 * It stops in the reverse order. The deadline ends every wait.
 */
export class App {
  readonly #options: AppOptions
  readonly #parts: Composition
  readonly #stopping = new AbortController()
  #phase: Phase = 'starting'
  #admin: Admin | undefined
  #intake = ''
  #watches: readonly FileWatch[] = []

  /** Rejects if a pipeline can never work; then nothing runs. */
  static async start(options: AppOptions): Promise<App> {
    requireCompatible(options.sockets, options.settings)
    let app: App | undefined
    const parts = await compose(options, () => (app === undefined ? 'starting' : app.#phase))
    app = new App(options, parts)
    try {
      await app.#start()
    } catch (error) {
      await app.stop()
      throw error
    }
    return app
  }

  private constructor(options: AppOptions, parts: Composition) {
    this.#options = options
    this.#parts = parts
  }

  /** URLs with the ports that were bound, which a setting of 0 leaves to the system. */
  get intake(): string {
    return this.#intake
  }
  get admin(): string {
    return this.#admin?.url ?? ''
  }

  async #start(): Promise<void> {
    const { certificates, ports, workers, reloader, history, shown, routes, warnOfLeftAcks } = this.#parts
    const { settings, file } = this.#options
    this.#admin = await ports.openAdmin(shown, routes)
    await reloader.start()
    this.#intake = (await workers?.start(reloader.config(), reloader.running())) ?? (await ports.openIntake())
    this.#phase = 'running'
    warnOfLeftAcks()
    history.start()
    if (settings.takeover) {
      const limit = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(RELEASE_TIMEOUT)])
      // Such a process has no workers.
      const ready = Promise.allSettled(
        reloader.running().map((pipeline) => pipeline.role === 'whole' && pipeline.ledger.ready()),
      )
      void untilAborted(ready, limit).finally(() => ports.listener.release())
    }
    const config = new FileWatch({
      paths: () => [...new Set([file, ...reloader.config().watched])],
      onChange: () => void reloader.reload('file'),
      onRoutineCheck: () => reloader.retry(),
    })
    this.#watches = [config, ...certificates.watch()]
  }

  /** Reads the config and the certificates again. */
  reload(why: Why): void {
    const { certificates, workers, reloader } = this.#parts
    void certificates.renew()
    workers?.broadcast({ kind: 'renew-certificates' })
    void reloader.reload(why)
  }

  /** Returns the unfinished work of each pipeline. `isTakenOver`: another process listens already, and finishes it. */
  async stop(isTakenOver = false): Promise<readonly Unfinished[]> {
    const { deadline } = this.#options
    const { ports, workers, reloader, taps, deadLetters, history } = this.#parts
    this.#phase = 'stopping'
    this.#stopping.abort()
    for (const watch of this.#watches) watch.close()
    // Workers hand over every event that they have taken, and receive the outcomes.
    const ofWorkers = (await workers?.stop()) ?? []
    // The listener closes before the pipelines: senders receive 503 then, not 404.
    const closed = ports.listener.close(isTakenOver ? LAST_REQUESTS : 0)
    const inTime = () => endsWithin(closed, LAST_REQUESTS)
    if (isTakenOver) await untilAborted(inTime(), deadline)
    const unfinished = await reloader.stop(isTakenOver)
    // Load balancers open connections before they have a request: these are not waited for.
    if (isTakenOver) await untilAborted(inTime(), deadline)
    if (deadline.aborted || isTakenOver) ports.listener.closeNow()
    else await closed
    taps.close()
    deadLetters.close()
    history.close()
    await this.#admin?.close()
    await ports.state.close()
    return [...unfinished, ...ofWorkers]
  }
}
