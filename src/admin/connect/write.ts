import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { applyEdits, type JSONPath, modify, parse } from 'jsonc-parser'
import { HeadgateError } from '../../contract/errors.js'
import { type Answer, type Asked, failure, json, nothing, post, put, type Route } from '../routes.js'
import { type Connect, isObject, toPipeline, withoutKeys } from './connect.js'
import { infoOf } from './connectors.js'

/**
 * Changes of the config file. Each is checked whole, written in one step and taken over before it is answered; where it
 * cannot be taken over, the file is as it was.
 */
export function writeRoutes(connect: Connect): Route[] {
  const { reloader } = connect
  let last: Promise<unknown> = Promise.resolve()
  /** One after the other: each begins with what the one before has written. */
  const change =
    (make: (asked: Asked) => Answer | Promise<Answer>): Route['answer'] =>
    (asked) => {
      if (!connect.writable) return failure(403, REFUSED)
      const mine = last.then(() => make(asked))
      last = mine.catch(() => {})
      return mine
    }
  const exists = (name: string): boolean => reloader.running().some((running) => running.name === name)
  const runs = (status: number, name: string): Answer => {
    const pipeline = reloader.running().find((running) => running.name === name)
    return pipeline === undefined
      ? failure(500, `Connector ${name} was written and does not run.`)
      : json(status, infoOf(pipeline, connect))
  }
  const write = async (name: string, config: unknown): Promise<Answer> => {
    const pipeline = toPipeline(name, config)
    return typeof pipeline === 'string' ? failure(400, pipeline) : store(name, pipeline)
  }
  const store = async (name: string, pipeline: object): Promise<Answer> => {
    const status = exists(name) ? 200 : 201
    return (await take(connect, name, pipeline)) ?? runs(status, name)
  }

  return [
    post(
      '/connectors',
      change(async ({ body }) => {
        const { name, config, initial_state: state = 'RUNNING' } = isObject(body) ? body : {}
        if (typeof name !== 'string' || !isObject(config))
          return failure(400, 'The body should be {"name": "...", "config": {...}}.')
        if (exists(name)) return failure(409, `Connector ${name} already exists.`)
        if (state !== 'RUNNING' && state !== 'PAUSED' && state !== 'STOPPED')
          return failure(400, 'The initial_state should be RUNNING, PAUSED or STOPPED.')
        // Before it starts, so that it takes nothing that it should not.
        connect.targetStates.keep(name, state)
        const answer = await write(name, config)
        if (!exists(name)) connect.targetStates.keep(name, 'RUNNING')
        return answer
      }),
    ),
    put(
      '/connectors/{name}/config',
      change(({ params, body }) => write(params['name'] ?? '', body)),
    ),
    {
      method: 'PATCH',
      path: '/connectors/{name}/config',
      answer: change(async ({ params: { name = '' }, body }) => {
        if (!exists(name)) return failure(404, `Connector ${name} not found.`)
        const changes = toPipeline(name, body)
        if (typeof changes === 'string') return failure(400, changes)
        const gone = Object.keys(changes).filter((key) => changes[key] === null)
        return store(name, withoutKeys({ ...(await pipelineIn(connect.file, name)), ...changes }, gone))
      }),
    },
    {
      method: 'DELETE',
      path: '/connectors/{name}',
      answer: change(async ({ params: { name = '' } }) => {
        if (!exists(name)) return failure(404, `Connector ${name} not found.`)
        const refused = await take(connect, name, undefined)
        if (refused === undefined) connect.targetStates.keep(name, 'RUNNING')
        return refused ?? nothing(204)
      }),
    },
  ]
}

const REFUSED =
  'The config is changed in its file, which is taken over as it changes. Set HEADGATE_CONFIG_WRITABLE=true to have it changed here.'

/** Undefined where the pipeline is as it should be; else why not, and nothing has changed. */
async function take(
  { file, questions, redact, reloader }: Connect,
  name: string,
  pipeline: object | undefined,
): Promise<Answer | undefined> {
  try {
    const before = await readFile(file, 'utf8')
    const text = await candidate(file, name, pipeline)
    const verdict = await questions.file(text, true)
    if (!verdict.ok) {
      const problems = verdict.problems.map(({ code, pointer, message }) => `${code}: ${pointer}: ${message}`)
      return failure(400, redact(`The config is invalid: ${problems.join(' ')}`))
    }
    await replace(file, text)
    const came = await reloader.reload('api')
    if (came.result !== 'failure') return undefined
    await replace(file, before)
    await reloader.reload('api')
    const why = [...came.problems, ...(came.error === undefined ? [] : [came.error])]
    const reasons = why.map(({ code, message }) => `${code}: ${message}`).join(' ')
    return failure(500, redact(`The config could not be taken over; the file is as it was. ${reasons}`))
  } catch (thrown) {
    if (thrown instanceof HeadgateError) return failure(503, thrown.message)
    const { code, message } = thrown as NodeJS.ErrnoException
    if (code === undefined) throw thrown
    return failure(500, `The config file cannot be changed: ${message}.`)
  }
}

/** In one step, also where the path is a link to the file. */
async function replace(path: string, text: string): Promise<void> {
  const file = await realpath(path)
  const beside = `${file}.${process.pid}.new`
  const { mode } = await stat(file)
  try {
    const handle = await open(beside, 'w', mode)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(beside, file)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}

/**
 * The text of the config file as it would be with this pipeline, or without it where that is undefined. Only what is
 * different is written anew: comments elsewhere stay.
 */
export async function candidate(file: string, name: string, pipeline: object | undefined): Promise<string> {
  const text = await readFile(file, 'utf8')
  const before: unknown = parse(text, [], { allowTrailingComma: true })
  const pipelines = isObject(before) && isObject(before['pipelines']) ? before['pipelines'] : {}
  let edited = text
  const format = formatOf(text)
  for (const { path, value } of differences(['pipelines', name], pipelines[name], pipeline)) {
    const stand = value === undefined ? undefined : PLACEHOLDER
    edited = filled(
      applyEdits(edited, modify(edited, path, stand, { formattingOptions: format })),
      value,
      format,
    )
  }
  return edited
}

/**
 * Stands for a value while jsonc-parser places it. The time that it takes to format one grows with the square of its lines: ten
 * minutes for nine thousand rules.
 */
const PLACEHOLDER = '\u0000'

function filled(text: string, value: unknown, { insertSpaces, tabSize, eol }: Format): string {
  const written = JSON.stringify(PLACEHOLDER)
  const at = value === undefined ? -1 : text.indexOf(written)
  if (at === -1) return text
  const [indent] = /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', at) + 1)) ?? ['']
  const json = JSON.stringify(value, undefined, insertSpaces ? tabSize : '\t').replaceAll('\n', eol + indent)
  return text.slice(0, at) + json + text.slice(at + written.length)
}

/** A pipeline as the file says it, with the secrets that are written there. */
async function pipelineIn(file: string, name: string): Promise<object> {
  const config: unknown = parse(await readFile(file, 'utf8'), [], { allowTrailingComma: true })
  const pipelines = isObject(config) ? config['pipelines'] : undefined
  const pipeline = isObject(pipelines) ? pipelines[name] : undefined
  return isObject(pipeline) ? pipeline : {}
}

interface Difference {
  readonly path: JSONPath
  /** Undefined where it goes. */
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
