import type { CheckedConfig } from '../config/read.js'
import { HeadgateError } from '../contract/errors.js'
import type { Log } from '../contract/index.js'
import { FILTERS, readFilter, type TypedFilter } from '../dead-letters/filter.js'
import { type LetterRef, readLetterRef } from '../dead-letters/letter.js'
import type { LetterSelection, LettersRequest, Problem } from '../dead-letters/messages.js'
import type { DeadLetterProcesses } from '../dead-letters/process.js'
import { deadLetterTopic } from '../dead-letters/session.js'
import { isObject } from './connect/connect.js'
import {
  type AdminRequest,
  type AdminResponse,
  errorResponse,
  get,
  json,
  post,
  type Route,
} from './routes.js'

export interface DeadLetterHost {
  readonly processes: Pick<DeadLetterProcesses, 'ask' | 'run'>
  readonly log: Log
  config(): Pick<CheckedConfig, 'pipelines'>
}

const LONGEST_REASON = 500
const MOST_ON_PAGE = 200

/** The dead letters of each pipeline: to read, to replay and to discard, as `headgate dlq` does. */
export function deadLetterRoutes({ processes, log, config }: DeadLetterHost): Route[] {
  type Handle = (pipeline: string, request: AdminRequest) => Promise<AdminResponse>
  const of =
    (handle: Handle): ((request: AdminRequest) => Promise<AdminResponse>) =>
    async (request) => {
      const { name = '' } = request.params
      const checked = config().pipelines.find((pipeline) => pipeline.name === name)
      if (checked === undefined) return errorResponse(404, `There is no pipeline ${name}.`)
      if (deadLetterTopic(checked) === undefined)
        return errorResponse(404, `The pipeline ${name} has no "deadLetter" topic.`)
      return handle(name, request)
    }
  const ask = async (pipeline: string, request: LettersRequest): Promise<AdminResponse> => {
    try {
      const result = await processes.ask(pipeline, request)
      if ('problem' in result) {
        const { status, problem } = result as Problem
        return errorResponse(status, problem)
      }
      return json(200, result)
    } catch (thrown) {
      if (!(thrown instanceof HeadgateError)) throw thrown
      return errorResponse(503, `${thrown.code}: ${thrown.message}`)
    }
  }
  /** An operator's act is in the log. */
  const act = (pipeline: string, request: LettersRequest) => {
    log.info({ event: 'dead-letters', pipeline, action: request.kind }, 'dead letters are worked through')
    return ask(pipeline, request)
  }
  const send = (pipeline: string, read: Read<LettersRequest>): Promise<AdminResponse> | AdminResponse => {
    if ('problem' in read) return errorResponse(400, read.problem)
    return read.kind === 'replay' || read.kind === 'discard' ? act(pipeline, read) : ask(pipeline, read)
  }
  const at = '/pipelines/{name}/dead-letters'
  return [
    get(
      at,
      of(async (pipeline, { query }) => send(pipeline, readList(query))),
    ),
    get(
      `${at}/run`,
      of(async (pipeline) => json(200, { run: processes.run(pipeline) ?? null })),
    ),
    get(
      `${at}/{position}`,
      of((pipeline, { params: { position = '' } }) => ask(pipeline, { kind: 'show', position })),
    ),
    post(
      `${at}/replay`,
      of(async (pipeline, { body }) => send(pipeline, readReplay(body))),
    ),
    post(
      `${at}/discard`,
      of(async (pipeline, { body }) => send(pipeline, readDiscard(body))),
    ),
    post(
      `${at}/run/stop`,
      of((pipeline) => act(pipeline, { kind: 'stop' })),
    ),
  ]
}

type Read<Value> = Value | { readonly problem: string }

function readList(query: URLSearchParams): Read<Extract<LettersRequest, { kind: 'list' }>> {
  const {
    status = 'open',
    offset = '0',
    limit = '100',
    refresh = 'false',
    ...rest
  } = Object.fromEntries(query)
  const { passes } = rest
  if (passes !== undefined && passes !== 'true' && passes !== 'false')
    return { problem: '"passes" should be true or false.' }
  const selection = readSelection({ ...rest, ...(passes !== undefined && { passes: passes === 'true' }) })
  if ('problem' in selection) return selection
  if (status !== 'open' && status !== 'settled') return { problem: '"status" should be open or settled.' }
  if (!/^[0-9]{1,7}$/.test(offset)) return { problem: '"offset" should be a whole number.' }
  if (!/^[1-9][0-9]{0,2}$/.test(limit) || Number(limit) > MOST_ON_PAGE)
    return { problem: `"limit" should be a whole number up to ${MOST_ON_PAGE}.` }
  return {
    kind: 'list',
    selection: selection.selection,
    status,
    offset: Number(offset),
    limit: Number(limit),
    refresh: refresh === 'true',
  }
}

function readReplay(body: unknown): Read<LettersRequest> {
  const read = readRun(body)
  if ('problem' in read) return read
  const { selection, edited, dryRun } = read
  if (edited !== undefined && selection.refs?.length !== 1)
    return { problem: 'A "body" replaces that of one dead letter: give exactly one position.' }
  return { kind: dryRun ? 'plan' : 'replay', selection, ...(edited !== undefined && { edited }) }
}

function readDiscard(body: unknown): Read<LettersRequest> {
  const read = readRun(body)
  if ('problem' in read) return read
  const { selection, reason, dryRun } = read
  if (Object.keys(selection).length === 0)
    return { problem: 'Select dead letters by position or with a filter; "until" selects all up to a time.' }
  if (dryRun) return { kind: 'plan-discard', selection }
  if (reason === '' || reason.length > LONGEST_REASON)
    return { problem: `A "reason" of 1 to ${LONGEST_REASON} characters is stored with them; give one.` }
  return { kind: 'discard', selection, reason }
}

interface ReadRun {
  readonly selection: LetterSelection
  readonly dryRun: boolean
  readonly reason: string
  readonly edited: string | undefined
}

function readRun(body: unknown): Read<ReadRun> {
  if (!isObject(body)) return { problem: 'The body should be a JSON object with "positions" or filters.' }
  const { dryRun = true, reason = '', body: edited, ...rest } = body
  if (typeof dryRun !== 'boolean') return { problem: '"dryRun" should be true or false.' }
  if (typeof reason !== 'string') return { problem: '"reason" should be a text.' }
  if (edited !== undefined && typeof edited !== 'string') return { problem: '"body" should be a text.' }
  if (edited !== undefined && SURROGATE.test(edited)) return { problem: HALF }
  const read = readSelection(rest)
  return 'problem' in read ? read : { ...read, dryRun, reason: reason.trim(), edited }
}

/** Half of a pair, which would become another character in bytes. */
const SURROGATE = /\p{Cs}/u
const HALF =
  '"body" has half of a surrogate pair, which is no character: bytes that are no text cannot be sent.'

function readSelection(values: {
  readonly [name: string]: unknown
}): Read<{ readonly selection: LetterSelection }> {
  const { positions, passes, ...rest } = values
  const unknown = Object.keys(rest).find((name) => !(FILTERS as readonly string[]).includes(name))
  if (unknown !== undefined)
    return {
      problem: `There is no filter "${unknown}". Expected ${[...FILTERS, 'positions', 'passes'].join(', ')}.`,
    }
  const noText = Object.entries(rest).find(([, value]) => typeof value !== 'string')
  if (noText !== undefined) return { problem: `"${noText[0]}" should be a text.` }
  if (passes !== undefined && typeof passes !== 'boolean')
    return { problem: '"passes" should be true or false.' }
  const refs = positions === undefined ? undefined : readPositions(positions)
  if (positions !== undefined && refs === undefined)
    return { problem: '"positions" should be a list of positions such as "0:12".' }
  const { filter, problems } = readFilter(rest as TypedFilter, Date.now(), (name) => `"${name}"`)
  if (problems.length > 0) return { problem: problems.join(' ') }
  return {
    selection: {
      ...filter,
      ...(refs !== undefined && { refs }),
      ...(passes !== undefined && { passes }),
    },
  }
}

/** Undefined if one is none. */
function readPositions(values: unknown): readonly LetterRef[] | undefined {
  if (!Array.isArray(values)) return undefined
  const refs = values.flatMap((value) => (typeof value === 'string' ? readLetterRef(value) : undefined) ?? [])
  return refs.length === values.length ? refs : undefined
}
