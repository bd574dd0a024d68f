import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import type { ConfigChecker } from '../../config/check-process.js'
import { HeadgateError } from '../../contract/errors.js'
import { SerialQueue } from '../../lib/async.js'
import type { Refused } from '../../pipeline/reload/outcome.js'
import type { Reloader } from '../../pipeline/reload/reloader.js'
import { type AdminResponse, errorResponse } from '../routes.js'

export interface ConfigFileOptions {
  /** Absolute path of the config file, and whether it may be written. */
  readonly file: string
  readonly writable: boolean
  readonly checker: Pick<ConfigChecker, 'file'>
  readonly reloader: Pick<Reloader, 'config' | 'reload'>
  redact(text: string): string
}

/** A config that ran until the API changed it. */
export interface EarlierConfig {
  readonly revision: string
  readonly text: string
  /** In ISO 8601. */
  readonly until: string
}

/** The change of a file that is not in effect, and the response that says why. */
type Failure = AdminResponse

const MOST_EARLIER = 10

const READ_ONLY =
  'This API may not change the config: edit its file, which is reloaded when it changes, or set HEADGATE_CONFIG_WRITABLE=true.'

/**
 * The config file as the admin API changes it. Each change is checked as a whole, written atomically and reloaded before the
 * response; if the reload fails, the file is restored.
 */
export class ConfigFile {
  readonly #options: ConfigFileOptions
  readonly #changes = new SerialQueue()
  #earlier: readonly EarlierConfig[] = []

  constructor(options: ConfigFileOptions) {
    this.#options = options
  }

  get path(): string {
    return this.#options.file
  }

  get writable(): boolean {
    return this.#options.writable
  }

  /** Newest first; since the start of the process. */
  get earlier(): readonly EarlierConfig[] {
    return this.#earlier
  }

  read(): Promise<string> {
    return readFile(this.#options.file, 'utf8')
  }

  /** The text of the file from which the running config was read. */
  running(): string | undefined {
    return this.#options.reloader.config().contents().get(this.#options.file)
  }

  /** One at a time: each change is based on the file that the previous one wrote. Refuses if the file may not be written. */
  exclusively(change: () => Promise<AdminResponse>): Promise<AdminResponse> {
    if (!this.#options.writable) return Promise.resolve(errorResponse(403, READ_ONLY))
    return this.#changes.run(change)
  }

  /** Within `exclusively`. Undefined if the new text is in effect; otherwise nothing has changed. */
  async replace(edit: (before: string) => string): Promise<Failure | undefined> {
    const { checker, redact, reloader } = this.#options
    try {
      const before = await this.read()
      const text = edit(before)
      const verdict = await checker.file(text, true)
      if (!verdict.ok) {
        const problems = verdict.problems.map(
          ({ code, pointer, message }) => `${code}: ${pointer}: ${message}`,
        )
        return errorResponse(400, redact(`The config is invalid: ${problems.join(' ')}`))
      }
      const ran = { revision: reloader.config().revision, text: this.running() ?? before }
      await replaceFile(this.path, text)
      const reloaded = await reloader.reload('api')
      if (reloaded.result !== 'failure') {
        this.#remember(ran, reloaded.revision)
        return undefined
      }
      await replaceFile(this.path, before)
      await reloader.reload('api')
      return errorResponse(
        500,
        redact(`The new config could not be started; the file was restored. ${reasons(reloaded)}`),
      )
    } catch (thrown) {
      if (thrown instanceof HeadgateError) return errorResponse(503, thrown.message)
      const { code, message } = thrown as NodeJS.ErrnoException
      if (code === undefined) throw thrown
      return errorResponse(500, `Cannot change the config file: ${message}.`)
    }
  }

  #remember(ran: Pick<EarlierConfig, 'revision' | 'text'>, now: string): void {
    if (ran.revision === now) return
    const others = this.#earlier.filter(({ revision }) => revision !== ran.revision && revision !== now)
    this.#earlier = [{ ...ran, until: new Date().toISOString() }, ...others].slice(0, MOST_EARLIER)
  }
}

const reasons = ({ problems, error }: Refused): string =>
  [...problems, ...(error === undefined ? [] : [error])]
    .map(({ code, message }) => `${code}: ${message}`)
    .join(' ')

/** Atomically, also if the path is a symbolic link. */
async function replaceFile(path: string, text: string): Promise<void> {
  const file = await realpath(path)
  const temporary = `${file}.${process.pid}.new`
  const { mode } = await stat(file)
  try {
    const handle = await open(temporary, 'w', mode)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
