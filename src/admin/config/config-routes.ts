import { hash } from 'node:crypto'
import { type ParseError, parseTree } from 'jsonc-parser'
import type { ConfigChecker } from '../../config/check-process.js'
import { stagesOf } from '../../config/checked-pipeline.js'
import { type ExternalPlugin, isExternal } from '../../config/choose-plugin.js'
import { editorSchema } from '../../config/editor-schema.js'
import type { CheckedConfig } from '../../config/read.js'
import { HeadgateError } from '../../contract/errors.js'
import type { AnyDefinition } from '../../contract/index.js'
import type { DryRunProcess } from '../../dry-run/dry-run-process.js'
import { pointer as compilePointer } from '../../lib/json/pointer.js'
import { reasonsOf } from '../../pipeline/reload/outcome.js'
import type { Reloader } from '../../pipeline/reload/reloader.js'
import type { AppliedConfig, ConfigText, EarlierText } from '../api.js'
import { isObject } from '../connect/connect.js'
import {
  type AdminRequest,
  type AdminResponse,
  errorResponse,
  get,
  json,
  post,
  put,
  type Route,
} from '../routes.js'
import type { ConfigFile } from './config-file.js'
import { HiddenSecrets } from './hidden-secrets.js'
import { referenceRefused, unusedReferences } from './references.js'

export interface ConfigHost {
  readonly configFile: ConfigFile
  readonly reloader: Pick<Reloader, 'config' | 'refused'>
  readonly checker: Pick<ConfigChecker, 'findings'>
  readonly dryRuns: Pick<DryRunProcess, 'compare'>
  /** The built-in plugins. */
  readonly plugins: readonly AnyDefinition[]
  redact(text: string): string
}

/** The config file for an editor: its text, its schema, its problems, the effect of a change, and the change itself. */
export function configRoutes(host: ConfigHost): Route[] {
  const editor = new ConfigEditor(host)
  return [
    get('/config', () => editor.text()),
    get('/config/revisions/{revision}', ({ params: { revision = '' } }) => editor.earlier(revision)),
    get('/config/schema', () => json(200, editor.schema())),
    post('/config/check', (request) => editor.check(request)),
    post('/config/diff', (request) => editor.compare(request)),
    put('/config', (request) => editor.apply(request)),
  ]
}

/** The newest records of the topics of a pipeline that a comparison reads. */
const DEFAULT_LIMIT = 500
const MOST_LIMIT = 5000

class ConfigEditor {
  readonly #host: ConfigHost
  readonly #secrets = new HiddenSecrets()

  constructor(host: ConfigHost) {
    this.#host = host
  }

  async text(): Promise<AdminResponse> {
    const { configFile, reloader, redact } = this.#host
    const onDisk = await this.#onDisk()
    if (typeof onDisk !== 'string') return onDisk
    const config = reloader.config()
    const refused = reloader.refused()
    const isBroken = hasSyntaxError(onDisk)
    const tag = tagOf(onDisk)
    const body: ConfigText = {
      file: config.file,
      // Secrets cannot be told from other texts in a file with a syntax error.
      text: this.#hide(isBroken ? (configFile.running() ?? '') : onDisk),
      shown: isBroken ? 'running' : 'file',
      running: this.#hide(configFile.running() ?? onDisk),
      revision: config.revision,
      tag,
      writable: configFile.writable,
      refused: refused === undefined ? [] : reasonsOf(refused).map(redact),
      earlier: configFile.earlier.map(({ revision, until }) => ({ revision, until })),
    }
    const response = json(200, body)
    return { ...response, headers: { ...response.headers, etag: tag } }
  }

  earlier(revision: string): AdminResponse {
    const found = this.#host.configFile.earlier.find((one) => one.revision === revision)
    if (found === undefined)
      return errorResponse(404, `There is no revision ${revision} from before; GET /config lists them.`)
    const body: EarlierText = { revision, until: found.until, text: this.#hide(found.text) }
    return json(200, body)
  }

  schema(): object {
    const { plugins, reloader } = this.#host
    const running = reloader
      .config()
      .pipelines.flatMap((pipeline) =>
        stagesOf(pipeline).map(({ definition }) => definition as AnyDefinition),
      )
    return editorSchema([...new Set([...plugins, ...running])], undefined)
  }

  async check({ body }: AdminRequest): Promise<AdminResponse> {
    const { checker, configFile, redact } = this.#host
    return this.#withText(body, async (text) => {
      const { ok, problems } = await checker.findings(text, configFile.writable)
      return json(200, JSON.parse(redact(JSON.stringify({ ok, problems }))))
    })
  }

  async compare({ body }: AdminRequest): Promise<AdminResponse> {
    const { pipeline, limit = DEFAULT_LIMIT } = isObject(body) ? body : {}
    if (typeof pipeline !== 'string') return errorResponse(400, 'The body has no "pipeline".')
    if (!Number.isInteger(limit) || Number(limit) < 1 || Number(limit) > MOST_LIMIT)
      return errorResponse(400, `"limit" should be a whole number from 1 to ${MOST_LIMIT}.`)
    const { dryRuns, configFile } = this.#host
    return this.#withText(body, async (text) =>
      json(200, await dryRuns.compare({ text, pipeline, limit: Number(limit) }, configFile.writable)),
    )
  }

  /** Only based on the file as it is: two people who edit at the same time must not undo each other's change. */
  apply({ body, headers }: AdminRequest): Promise<AdminResponse> {
    const { configFile, reloader } = this.#host
    return configFile.exclusively(async () => {
      const base = headers['if-match']
      if (base === undefined)
        return errorResponse(
          428,
          'Send If-Match with the tag of the text that the change is based on (GET /config).',
        )
      const onDisk = await this.#onDisk()
      if (typeof onDisk !== 'string') return onDisk
      if (tagOf(onDisk) !== base)
        return errorResponse(
          412,
          'The file has changed since it was read: read it again, and repeat the change.',
        )
      return this.#withText(body, async (text) => {
        const before = reloader.config().revision
        const failure = await configFile.replace(() => text)
        if (failure !== undefined) return failure
        const { revision } = reloader.config()
        return json(200, { revision, changed: revision !== before } satisfies AppliedConfig)
      })
    })
  }

  /** Responds to a request whose body has the text of a config, with its secrets. */
  async #withText(body: unknown, respond: (text: string) => Promise<AdminResponse>): Promise<AdminResponse> {
    const { configFile, reloader } = this.#host
    const shown = isObject(body) ? body['text'] : undefined
    if (typeof shown !== 'string') return errorResponse(400, 'The body has no "text".')
    const text = this.#secrets.restore(shown)
    if (text === undefined)
      return errorResponse(
        400,
        'A "[hidden ...]" in the text stands for no secret that this process knows: read the config again, or write a ${...} reference.',
      )
    const [unused] = configFile.writable ? [] : unusedReferences(text, reloader.config())
    if (unused !== undefined) return errorResponse(403, referenceRefused(unused))
    try {
      return await respond(text)
    } catch (thrown) {
      if (!(thrown instanceof HeadgateError)) throw thrown
      const status = thrown.code === 'HG_ADMIN_QUESTION' ? 503 : 422
      return errorResponse(status, `${thrown.code}: ${thrown.message}`)
    }
  }

  /** The text of the file, or the response that says why there is none. */
  async #onDisk(): Promise<string | AdminResponse> {
    try {
      return await this.#host.configFile.read()
    } catch (thrown) {
      return errorResponse(500, `Cannot read the config file: ${(thrown as Error).message}.`)
    }
  }

  #hide(text: string): string {
    const { plugins, reloader } = this.#host
    const config = reloader.config()
    return this.#secrets.hide(text, { plugins, external: externalPlugins(config) }, config.secrets.keys())
  }
}

const tagOf = (text: string): string => `"${hash('sha256', text, 'base64url').slice(0, 22)}"`

function hasSyntaxError(text: string): boolean {
  const errors: ParseError[] = []
  parseTree(text, errors, { allowTrailingComma: true })
  return errors.length > 0
}

/** The external plugins that run, by the names in the config. */
function externalPlugins({ pipelines, written }: CheckedConfig): ReadonlyMap<string, ExternalPlugin> {
  const found = new Map<string, { definitions: AnyDefinition[] }>()
  for (const { definition, pointer } of pipelines.flatMap(stagesOf)) {
    const name = compilePointer(`${pointer}/plugin`).read(written)
    if (typeof name !== 'string' || !isExternal(name)) continue
    const plugin = found.get(name) ?? { definitions: [] }
    plugin.definitions.push(definition as AnyDefinition)
    found.set(name, plugin)
  }
  return found
}
