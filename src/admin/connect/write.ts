import { isDeepStrictEqual } from 'node:util'
import { applyEdits, type JSONPath, modify, parse } from 'jsonc-parser'
import type { PrimaryPipeline } from '../../pipeline/pipeline.js'
import {
  type AdminRequest,
  type AdminResponse,
  emptyResponse,
  errorResponse,
  json,
  post,
  put,
  type Route,
} from '../routes.js'
import { type Connect, isObject, toPipeline, withoutKeys } from './connect.js'
import { infoOf } from './connectors.js'

/** Changes of one pipeline in the config file. */
export function writeRoutes(connect: Connect): Route[] {
  const writer = new ConfigWriter(connect)
  return [
    post(
      '/connectors',
      writer.handler(({ body }) => writer.create(body)),
    ),
    put(
      '/connectors/{name}/config',
      writer.handler(({ params: { name = '' }, body }) => writer.write(name, body)),
    ),
    {
      method: 'PATCH',
      path: '/connectors/{name}/config',
      handle: writer.handler(({ params: { name = '' }, body }) => writer.patch(name, body)),
    },
    {
      method: 'DELETE',
      path: '/connectors/{name}',
      handle: writer.handler(({ params: { name = '' } }) => writer.remove(name)),
    },
  ]
}

class ConfigWriter {
  readonly #connect: Connect

  constructor(connect: Connect) {
    this.#connect = connect
  }

  handler(change: (request: AdminRequest) => Promise<AdminResponse>): Route['handle'] {
    return (request) => this.#connect.configFile.exclusively(() => change(request))
  }

  async create(body: unknown): Promise<AdminResponse> {
    const { name, config, initial_state: state = 'RUNNING' } = isObject(body) ? body : {}
    if (typeof name !== 'string' || !isObject(config))
      return errorResponse(400, 'The body should be {"name": "...", "config": {...}}.')
    if (this.#running(name) !== undefined) return errorResponse(409, `Connector ${name} already exists.`)
    if (state !== 'RUNNING' && state !== 'PAUSED' && state !== 'STOPPED')
      return errorResponse(400, 'The initial_state should be RUNNING, PAUSED or STOPPED.')
    const { targetStates } = this.#connect
    // Before it starts, so that a paused or stopped pipeline takes no event.
    targetStates.keep(name, state)
    const response = await this.write(name, config)
    if (this.#running(name) === undefined) targetStates.keep(name, 'RUNNING')
    return response
  }

  async write(name: string, config: unknown): Promise<AdminResponse> {
    const pipeline = toPipeline(name, config)
    return typeof pipeline === 'string' ? errorResponse(400, pipeline) : this.#store(name, pipeline)
  }

  async patch(name: string, body: unknown): Promise<AdminResponse> {
    if (this.#running(name) === undefined) return errorResponse(404, `Connector ${name} not found.`)
    const changes = toPipeline(name, body)
    if (typeof changes === 'string') return errorResponse(400, changes)
    const removed = Object.keys(changes).filter((key) => changes[key] === null)
    const pipeline = { ...pipelineIn(await this.#connect.configFile.read(), name), ...changes }
    return this.#store(name, withoutKeys(pipeline, removed))
  }

  async remove(name: string): Promise<AdminResponse> {
    if (this.#running(name) === undefined) return errorResponse(404, `Connector ${name} not found.`)
    const refused = await this.#apply(name, undefined)
    if (refused === undefined) this.#connect.targetStates.keep(name, 'RUNNING')
    return refused ?? emptyResponse(204)
  }

  async #store(name: string, pipeline: object): Promise<AdminResponse> {
    const status = this.#running(name) === undefined ? 201 : 200
    const refused = await this.#apply(name, pipeline)
    if (refused !== undefined) return refused
    const running = this.#running(name)
    return running === undefined
      ? errorResponse(500, `Connector ${name} was written to the config but does not run.`)
      : json(status, infoOf(running, this.#connect))
  }

  #apply(name: string, pipeline: object | undefined): Promise<AdminResponse | undefined> {
    return this.#connect.configFile.replace((text) => editedConfig(text, name, pipeline))
  }

  #running(name: string): PrimaryPipeline | undefined {
    return this.#connect.reloader.running().find((pipeline) => pipeline.name === name)
  }
}

/**
 * The text of a config with this pipeline, or without it if it is undefined. Only values that differ are rewritten: comments
 * elsewhere stay.
 */
export function editedConfig(text: string, name: string, pipeline: object | undefined): string {
  const before: unknown = parse(text, [], { allowTrailingComma: true })
  const pipelines = isObject(before) && isObject(before['pipelines']) ? before['pipelines'] : {}
  let edited = text
  const format = formatOf(text)
  for (const { path, value } of differences(['pipelines', name], pipelines[name], pipeline)) {
    const inserted = value === undefined ? undefined : PLACEHOLDER
    edited = withValue(
      applyEdits(edited, modify(edited, path, inserted, { formattingOptions: format })),
      value,
      format,
    )
  }
  return edited
}

/**
 * Replaces a value while jsonc-parser inserts it: its time to format a value grows with the square of the lines, ten minutes
 * for nine thousand rules.
 */
const PLACEHOLDER = '\u0000'

function withValue(text: string, value: unknown, { insertSpaces, tabSize, eol }: Format): string {
  const written = JSON.stringify(PLACEHOLDER)
  const at = value === undefined ? -1 : text.indexOf(written)
  if (at === -1) return text
  const [indent] = /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', at) + 1)) ?? ['']
  const json = JSON.stringify(value, undefined, insertSpaces ? tabSize : '\t').replaceAll('\n', eol + indent)
  return text.slice(0, at) + json + text.slice(at + written.length)
}

/** A pipeline as it is written, with its secrets. */
function pipelineIn(text: string, name: string): object {
  const config: unknown = parse(text, [], { allowTrailingComma: true })
  const pipelines = isObject(config) ? config['pipelines'] : undefined
  const pipeline = isObject(pipelines) ? pipelines[name] : undefined
  return isObject(pipeline) ? pipeline : {}
}

interface Difference {
  readonly path: JSONPath
  /** Undefined if it is removed. */
  readonly value: unknown
}

function differences(path: JSONPath, before: unknown, after: unknown): Difference[] {
  if (isDeepStrictEqual(before, after)) return []
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...keys].flatMap((key) => differences([...path, key], before[key], after[key]))
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return after.flatMap((element, index) => differences([...path, index], before[index], element))
  return [{ path, value: after }]
}

interface Format {
  readonly insertSpaces: boolean
  readonly tabSize: number
  readonly eol: string
}

const formatOf = (text: string): Format => {
  const [, indent = '  '] = /^([ \t]+)\S/m.exec(text) ?? []
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  return { insertSpaces: !indent.startsWith('\t'), tabSize: indent.length, eol }
}
