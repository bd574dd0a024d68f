import { resolve } from 'node:path'
import { generateToken, tokenFileOf } from '../admin/access.js'
import { Admin, type AdminHost, openAdmin } from '../admin/admin.js'
import type { Route } from '../admin/routes.js'
import type { Log } from '../contract/index.js'
import { requireUnused } from '../http/listen.js'
import { Listener } from '../http/listener.js'
import { isStateInUse, openStateDirectory, type StateDirectory } from '../ledger/state-directory.js'
import { endsWithin } from '../lib/async.js'
import { Networks } from '../lib/networks.js'
import { bytes, milliseconds } from '../lib/units.js'
import { countHttp2Faults, countRefused, countResponses } from '../metrics/process.js'
import type { ProcessMetrics } from '../metrics/registry.js'
import type { Certificates } from '../tls/certificates.js'
import { shareOf } from '../workers/messages.js'
import type { ListeningSockets } from './service-manager.js'
import type { Settings } from './settings.js'
import { takeOverState } from './takeover.js'

export interface PortsOptions {
  readonly settings: Settings
  readonly sockets: ListeningSockets
  readonly metrics: ProcessMetrics
  readonly certificates: Certificates
  log(fields: { readonly [name: string]: string }): Log
  /** Called once, with the process that takes over from this one and waits for it to stop. */
  onTakeover(pid: number): void
}

/** Milliseconds for the requests in transit on open connections when the port closes. */
export const LAST_REQUESTS = 1000

/**
 * The ports of a process and its state directory. With HEADGATE_TAKEOVER both ports open before the state directory, while the
 * other process that uses it still accepts events.
 */
export class Ports {
  readonly listener: Listener
  readonly state: StateDirectory
  readonly #options: PortsOptions
  readonly #early: { readonly intake: string; readonly admin: Admin } | undefined

  static async open(options: PortsOptions): Promise<Ports> {
    const { settings, log, onTakeover } = options
    const listener = intakeListener(options)
    const directory = resolve(settings.stateDir)
    const stateLog = log({ stage: 'ledger' })
    if (!settings.takeover) return new Ports(options, listener, await openStateDirectory(directory, stateLog))
    if (!(await isStateInUse(directory))) {
      await requireUnused(settings, 'HEADGATE_HOST')
      await requireUnused(adminAccess(options), 'HEADGATE_ADMIN_HOST')
    }
    await generateToken(settings)
    let admin: Admin | undefined
    try {
      const { url: intake } = await listener.open()
      admin = await Admin.open(adminAccess(options), () => [
        'Headgate is starting, and waits until the process before it has stopped.',
      ])
      const handOver = { within: milliseconds(settings.shutdownTimeout), onRequest: onTakeover }
      const state = await takeOverState(directory, stateLog, handOver)
      return new Ports(options, listener, state, { intake, admin })
    } catch (error) {
      // Gives waiting requests time to get a response.
      await endsWithin(listener.close(), LAST_REQUESTS)
      await admin?.close()
      throw error
    }
  }

  private constructor(
    options: PortsOptions,
    listener: Listener,
    state: StateDirectory,
    early?: { readonly intake: string; readonly admin: Admin },
  ) {
    this.#options = options
    this.listener = listener
    this.state = state
    this.#early = early
  }

  async openAdmin(shown: AdminHost, routes: readonly Route[]): Promise<Admin> {
    this.#early?.admin.serve(shown, routes)
    if (this.#early !== undefined) return this.#early.admin
    await generateToken(this.#options.settings)
    return openAdmin(adminAccess(this.#options), shown, routes)
  }

  /** Resolves with the URL of the intake. */
  async openIntake(): Promise<string> {
    return this.#early?.intake ?? (await this.listener.open()).url
  }
}

/** With workers, the workers listen, and this listener only holds their limits and the paths in use. */
function intakeListener({ settings, sockets, metrics, certificates, log }: PortsOptions): Listener {
  const { workers } = settings
  return new Listener({
    host: settings.host,
    port: settings.port,
    descriptor: sockets.intake,
    reusePort: settings.takeover,
    holds: settings.takeover,
    maxConnections: settings.maxConnections,
    maxBodyMemory: shareOf(bytes(settings.maxBodyMemory), workers),
    ...(workers > 0 && { sharedBy: workers }),
    onRefused: countRefused(metrics),
    ...(settings.proxyProtocol !== '' && { proxies: new Networks(settings.proxyProtocol.split(',')) }),
    secure: certificates.intake,
    http2: settings.http2 === 'on',
    ...(certificates.intake && { onHttp2Fault: countHttp2Faults(metrics) }),
    log: log({}),
    onResponse: countResponses(metrics, 'none'),
  })
}

function adminAccess({ settings, sockets, certificates, log }: PortsOptions) {
  const { adminHost, adminPort, adminOpen } = settings
  return {
    host: adminHost,
    port: adminPort,
    descriptor: sockets.admin,
    reusePort: settings.takeover,
    tokenFile: tokenFileOf(settings),
    open: adminOpen === 'none' ? [] : adminOpen.split(',').map((name) => `/${name}`),
    log: log({ listener: 'admin' }),
    secure: certificates.admin,
  }
}
