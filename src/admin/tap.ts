import { ruleNames } from '../config/checked-pipeline.js'
import { didYouMean } from '../config/problem.js'
import type { CheckedConfig } from '../config/read.js'
import { ERRORS, type ErrorCode, HeadgateError } from '../contract/errors.js'
import { OUTCOMES } from '../contract/index.js'
import type { DryRunProcess } from '../dry-run/dry-run-process.js'
import type { ExplanationJson } from '../dry-run/explanation.js'
import { withoutHidden } from '../lib/json/masked.js'
import { pointer } from '../lib/json/pointer.js'
import { bytes, LONGEST_TIMER, milliseconds } from '../lib/units.js'
import { maskedBody } from '../tap/body.js'
import { type KeptBody, MOST_TAPS, type TapReader, type TapRequest, type Taps } from '../tap/tap.js'
import type { EventExplanation } from './api.js'
import {
  type AdminResponse,
  errorResponse,
  get,
  json,
  type Route,
  type StreamedResponse,
  text,
} from './routes.js'

const EVENT_STREAM = 'text/event-stream'

/** Milliseconds that a reader has for the last lines. */
const END_WITHIN = 30_000

/** Streams completed events, one JSON object per line or server-sent event, until the reader disconnects. */
export const tapRoutes = (
  taps: Taps,
  config: () => CheckedConfig,
  redact: (text: string) => string,
  dryRuns: Pick<DryRunProcess, 'explain'>,
): Route[] => [
  get('/tap', ({ query, headers }) => {
    const read = readTapRequest(query, config())
    if ('problem' in read) return problem(400, 'HG_TAP_REFUSED', redact(read.problem))
    if (taps.full)
      return problem(429, 'HG_TAP_BUSY', `${MOST_TAPS} taps are open already, which is the maximum.`)
    return stream(taps, read.request, headers.accept?.includes(EVENT_STREAM) === true)
  }),
  get('/tap/{tap}/{number}', ({ params: { tap = '', number = '' } }) => {
    const detail = taps.find(Number(tap))?.detail(Number(number), bytes(MOST_PAYLOAD))
    return detail === undefined
      ? errorResponse(404, `Headgate no longer keeps event ${number} of tap ${tap}.`)
      : json(200, detail)
  }),
  get('/tap/{tap}/{number}/explanation', async ({ params: { tap = '', number = '' } }) => {
    const kept = taps.find(Number(tap))?.keptEvent(Number(number))
    if (kept === undefined)
      return errorResponse(404, `Headgate no longer keeps the body of event ${number} of tap ${tap}.`)
    if (kept.readsRequest) return errorResponse(409, READS_REQUEST)
    try {
      return json(200, await explained(kept, dryRuns))
    } catch (thrown) {
      if (!(thrown instanceof HeadgateError)) throw thrown
      return errorResponse(503, `${thrown.code}: ${thrown.message}`)
    }
  }),
]

const READS_REQUEST =
  'Rules of this pipeline read the request, of which a tap shows nothing: try the event with its headers instead.'

/** Why the running config decides so on an event, without anything that is masked. */
async function explained(
  { pipeline, id, body, masks }: KeptBody,
  dryRuns: Pick<DryRunProcess, 'explain'>,
): Promise<EventExplanation> {
  const event = { pipeline, id, headers: {}, body: body.toString('utf8') }
  const { revision, route, steps } = await dryRuns.explain(event)
  const hidden = masks.length === 0 ? new Set<string>() : maskedBody(body, masks)?.hidden
  if (hidden === undefined) return { revision, route, steps: steps.map((step) => ({ ...step, details: [] })) }
  const hide = (text: string) => withoutHidden(text, hidden)
  return { revision, route, steps: steps.map((step) => hideIn(step, hide)) }
}

const hideIn = (
  { error, details, ...step }: ExplanationJson['steps'][number],
  hide: (text: string) => string,
): ExplanationJson['steps'][number] => ({
  ...step,
  ...(error !== undefined && {
    error: {
      code: error.code,
      message: hide(error.message),
      violations: error.violations.map((one) => ({ pointer: hide(one.pointer), message: hide(one.message) })),
    },
  }),
  details: details.map(({ name, result, looked }) => ({
    name,
    result: hide(result),
    looked: looked.map(({ at, found }) => ({ at, found: hide(found) })),
  })),
})

/** `asEvents`: as server-sent events. */
function stream(taps: Taps, request: TapRequest, asEvents: boolean): StreamedResponse {
  return {
    status: 200,
    headers: { 'content-type': asEvents ? EVENT_STREAM : 'application/x-ndjson' },
    stream(response) {
      const reader: TapReader = {
        write: (line) => response.write(asEvents ? `data: ${line}\n` : line),
        end() {
          response.end()
          const late = setTimeout(() => response.destroy(), END_WITHIN).unref()
          response.once('close', () => clearTimeout(late))
        },
        drop: () => void response.destroy(),
      }
      const tap = response.destroyed ? undefined : taps.start(request, reader)
      if (tap === undefined) return void response.end()
      response.on('drain', () => tap.resume())
      response.on('close', () => tap.leave())
    },
  }
}

/** As RFC 9457 defines it. */
export function problem(status: number, code: ErrorCode, detail: string): AdminResponse {
  const body = { type: `urn:headgate:error:${code}`, title: ERRORS[code].meaning, status, detail, code }
  return text(status, 'application/problem+json', JSON.stringify(body, undefined, 2))
}

/** The parameters of `GET /tap`; the first group may be repeated. */
const LISTS = ['pipeline', 'route', 'outcome', 'id', 'code', 'mask'] as const
const SINGLE = ['rate', 'payload', 'limit', 'for', 'keep'] as const
const NAMES: readonly string[] = [...LISTS, ...SINGLE]

const MOST_RATE = 100
const MOST_PAYLOAD = '64KiB'
const DEFAULT_RATE = '10'

type TapRequestResult = { readonly request: TapRequest } | { readonly problem: string }

/** The tap that a query asks for, checked against the names in the config. */
function readTapRequest(query: URLSearchParams, config: CheckedConfig): TapRequestResult {
  const all = (name: (typeof LISTS)[number]) => query.getAll(name)
  const one = (name: (typeof SINGLE)[number]) => query.get(name) ?? undefined
  const values = {
    pipeline: all('pipeline'),
    route: all('route'),
    outcome: all('outcome'),
    id: all('id'),
    code: all('code'),
    mask: all('mask'),
  }
  const { rate, payload, limit, duration } = {
    rate: one('rate') ?? DEFAULT_RATE,
    payload: one('payload') ?? '0B',
    limit: one('limit'),
    duration: one('for'),
  }
  const keep = one('keep') ?? 'false'
  const pipelines = config.pipelines.map(({ name }) => name)
  const rules = config.pipelines
    .filter(({ name }) => values.pipeline.length === 0 || values.pipeline.includes(name))
    .flatMap(ruleNames)
  const codes = Object.keys(ERRORS)
  const problemMessage =
    unknown('parameter', [...query.keys()], NAMES) ??
    unknown('pipeline', values.pipeline, pipelines) ??
    unknown('rule', values.route, [...new Set(rules)]) ??
    unknown('outcome', values.outcome, OUTCOMES) ??
    unknown('code', values.code, codes) ??
    values.mask.map(wrongPointer).find((found) => found !== undefined) ??
    wrong('rate', rate, whole(rate, MOST_RATE), `a whole number from 1 to ${MOST_RATE}`) ??
    wrong('payload', payload, isSize(payload), `a size up to ${MOST_PAYLOAD} such as 512B or 4KiB`) ??
    wrong('limit', limit, whole(limit, 1e9), 'a whole number from 1') ??
    wrong('for', duration, isDuration(duration), 'a duration such as 30s or 5m') ??
    wrong('keep', keep, keep === 'true' || keep === 'false', 'true or false')
  if (problemMessage !== undefined) return { problem: problemMessage }
  return {
    request: {
      filter: {
        pipelines: values.pipeline,
        routes: values.route,
        outcomes: OUTCOMES.filter((outcome) => values.outcome.includes(outcome)),
        ids: values.id,
        codes: values.code as readonly ErrorCode[],
      },
      view: { payload: bytes(payload), masks: values.mask.map((place) => pointer(place).tokens) },
      pipelines: values.pipeline.length === 0 ? pipelines : values.pipeline,
      rate: Number(rate),
      limit: limit === undefined ? undefined : Number(limit),
      duration: duration === undefined ? undefined : milliseconds(duration),
      keeps: keep === 'true',
    },
  }
}

export function unknown(
  kind: string,
  values: readonly string[],
  names: readonly string[],
): string | undefined {
  const name = values.find((value) => !names.includes(value))
  if (name === undefined) return undefined
  const list =
    names.length > 20 ? '"headgate help errors" lists them.' : `Expected one of ${names.join(', ')}.`
  return `There is no ${kind} ${JSON.stringify(name)}. ${didYouMean(name, names)?.suggestion ?? list}`
}

export const wrong = (
  name: string,
  value: string | undefined,
  isRight: boolean,
  expected: string,
): string | undefined =>
  value === undefined || isRight
    ? undefined
    : `${name} should be ${expected}; it is ${JSON.stringify(value)}.`

export const whole = (text = '', most: number): boolean =>
  /^[1-9][0-9]{0,9}$/.test(text) && Number(text) <= most

export const isSize = (text: string): boolean =>
  /^[0-9]{1,9}(B|KiB|MiB)$/.test(text) && bytes(text) <= bytes(MOST_PAYLOAD)

const isDuration = (text = ''): boolean =>
  /^[1-9][0-9]{0,8}(ms|s|m|h|d)$/.test(text) && milliseconds(text) <= LONGEST_TIMER

export const wrongPointer = (text: string): string | undefined =>
  wrong('mask', text, /^(\/([^~/]|~[01])*)*$/.test(text), 'a JSON Pointer such as "/payload/items/*/card"')
