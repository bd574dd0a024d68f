import { isUtf8 } from 'node:buffer'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HeadgateError } from '../contract/errors.js'
import { bodyOf, type DryRunProcess, type TriedEvent } from '../dry-run/dry-run-process.js'
import type { Pipeline } from '../pipeline/pipeline.js'
import type { SavedScenario } from './api.js'
import { isObject } from './connect/connect.js'
import { type AdminResponse, errorResponse, json, post, type Route } from './routes.js'

export interface TryHost {
  readonly dryRuns: Pick<DryRunProcess, 'explain' | 'scenario'>
  /** Absolute path of the config file. Scenarios are in a folder beside it. */
  readonly file: string
  /** Whether files beside the config may be written. */
  readonly writable: boolean
  running(): readonly Pick<Pipeline, 'name'>[]
}

/** Dry runs of an event with the running config. Nothing is sent, and nothing is written but a scenario. */
export function tryRoutes({ dryRuns, file, writable, running }: TryHost): Route[] {
  const ofEvent =
    (respond: (event: TriedEvent, save: string | undefined) => Promise<AdminResponse>): Route['handle'] =>
    async ({ params: { name = '' }, body }) => {
      if (!running().some((pipeline) => pipeline.name === name))
        return errorResponse(404, `There is no pipeline ${name}.`)
      const read = readEvent(name, body)
      if ('problem' in read) return errorResponse(400, read.problem)
      try {
        return await respond(read.event, read.save)
      } catch (thrown) {
        if (!(thrown instanceof HeadgateError)) throw thrown
        const status = thrown.code === 'HG_ADMIN_QUESTION' ? 503 : 422
        return errorResponse(status, `${thrown.code}: ${thrown.message}`)
      }
    }
  return [
    post(
      '/pipelines/{name}/explain',
      ofEvent(async (event) => json(200, await dryRuns.explain(event))),
    ),
    post(
      '/pipelines/{name}/scenario',
      ofEvent(async (event, save) => {
        if (save !== undefined && !writable) return errorResponse(403, READ_ONLY)
        if (!isUtf8(bodyOf(event))) return errorResponse(422, NO_TEXT)
        const scenario = await dryRuns.scenario(event)
        if (save === undefined) return json(200, { ...scenario, file: null } satisfies SavedScenario)
        return saved(join(dirname(file), FOLDER), `${save}.json`, scenario)
      }),
    ),
  ]
}

const NO_TEXT =
  'A scenario has its event as text, and this body is not UTF-8. Keep the bytes in a file: "headgate explain FILE" shows the result.'

/** As `headgate test` finds them. */
const FOLDER = 'scenarios'

const READ_ONLY =
  'This API may not write files: save the text of the scenario yourself, or set HEADGATE_CONFIG_WRITABLE=true.'

/** Never overwrites one. */
async function saved(
  folder: string,
  name: string,
  scenario: Omit<SavedScenario, 'file'>,
): Promise<AdminResponse> {
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, name), scenario.text, { flag: 'wx' })
    return json(201, { ...scenario, file: `${FOLDER}/${name}` } satisfies SavedScenario)
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException
    return code === 'EEXIST'
      ? errorResponse(409, `${FOLDER}/${name} exists; choose another name.`)
      : errorResponse(500, `Cannot write the scenario: ${message}.`)
  }
}

type ReadEvent =
  | { readonly event: TriedEvent; readonly save: string | undefined }
  | { readonly problem: string }

const SHAPE =
  'The body should be {"body": "the event as text", "headers": {"name": "value"}, "method": "POST", "query": "a=b"}; only "body" is required. With "bodyEncoding": "base64", "body" is bytes.'

const ENCODINGS: readonly unknown[] = ['utf-8', 'base64']

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

function readEvent(pipeline: string, value: unknown): ReadEvent {
  if (!isObject(value)) return { problem: SHAPE }
  const { body, bodyEncoding = 'utf-8', headers = {}, method, query, save } = value
  const isText = (one: unknown): one is string | undefined => one === undefined || typeof one === 'string'
  if (typeof body !== 'string' || !isObject(headers) || !isText(method) || !isText(query) || !isText(save))
    return { problem: SHAPE }
  const entries = Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text] as const)
  if (entries.some(([, text]) => typeof text !== 'string')) return { problem: SHAPE }
  if (!ENCODINGS.includes(bodyEncoding))
    return {
      problem: `"bodyEncoding" should be "utf-8" or "base64"; it is ${JSON.stringify(bodyEncoding)}.`,
    }
  const isBytes = bodyEncoding === 'base64'
  if (isBytes && Buffer.from(body, 'base64').toString('base64') !== body)
    return { problem: '"body" should be base64, with its padding, because "bodyEncoding" says so.' }
  if (save !== undefined && !NAME.test(save))
    return {
      problem: `"save" should be a name of letters, digits and ._-; it is ${JSON.stringify(save)}.`,
    }
  const event: TriedEvent = {
    pipeline,
    headers: Object.fromEntries(entries) as TriedEvent['headers'],
    body,
    ...(isBytes && { bodyEncoding }),
    ...(method !== undefined && { method }),
    ...(query !== undefined && { query }),
  }
  return { event, save }
}
