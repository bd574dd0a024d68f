import { batch, signal } from '@preact/signals'
import type { ExplanationJson, PipelineShape, SavedScenario } from '../../../src/admin/api.js'
import type { EventDetail } from '../../../src/tap/line.js'
import { getJson, reasonText, sendJson } from '../api/client.js'
import type { ListedEvent } from '../events/live-list.js'
import { count } from '../format.js'
import { type BodyForm, base64Of, bytesOfBody, retyped, typedBodyOf } from './body-form.js'
import { type Draft, draftOf } from './draft.js'

/** The result of a dry run, with the pipeline as it was then. */
export interface Tried {
  readonly shape: PipelineShape
  readonly draft: Draft
  readonly explanation: ExplanationJson
}

const EMPTY: Draft = { pipeline: '', form: 'text', body: '', headers: '', method: '', query: '' }

/** Kept while another view is open. */
export const draft = signal<Draft>(EMPTY)
export const tried = signal<Tried | undefined>(undefined)
export const problem = signal<string | undefined>(undefined)
export const isRunning = signal(false)

/** Fills in an event of the list of events. */
export function fill(changes: Partial<Draft>): void {
  batch(() => {
    draft.value = { ...EMPTY, ...changes }
    tried.value = undefined
    problem.value = undefined
  })
}

/** Fills in an event that has just passed, as it was received. */
export async function pick({ tap, number }: Pick<ListedEvent, 'tap' | 'number'>): Promise<void> {
  try {
    const found = draftOf(await getJson<EventDetail>(`/tap/${tap}/${number}`))
    if (found === undefined) problem.value = 'The body of this event is not here as a whole.'
    else fill(found)
  } catch (error) {
    problem.value = reasonText(error)
  }
}

const NO_TEXT = 'These bytes cannot be typed as a text: they would be changed.'

/** Shows the same body in another form. */
export function retype(form: BodyForm): void {
  const typed = retyped(draft.value, form)
  batch(() => {
    if (typed !== undefined) draft.value = { ...draft.value, ...typed }
    problem.value = typed === undefined ? NO_TEXT : undefined
  })
}

/** With its base64, a request to the admin API has room for so many bytes. */
const MOST_BYTES = 700 * 1024

/** The bytes of a file as the body. */
export async function openFile(file: File): Promise<void> {
  if (file.size > MOST_BYTES) {
    problem.value = `${file.name} has ${count(file.size)} bytes, and at most ${count(MOST_BYTES)} can be tried here. "headgate explain FILE" takes it.`
    return
  }
  try {
    const typed = typedBodyOf(new Uint8Array(await file.arrayBuffer()))
    batch(() => {
      draft.value = { ...draft.value, ...typed }
      problem.value = undefined
    })
  } catch (error) {
    problem.value = `${file.name} cannot be read: ${reasonText(error)}`
  }
}

/** Runs the draft through a pipeline. */
export async function run(shape: PipelineShape): Promise<void> {
  const sent = draft.value
  const read = requestOf(sent)
  if ('problem' in read) {
    problem.value = read.problem
    return
  }
  isRunning.value = true
  try {
    const explanation = await sendJson<ExplanationJson>(pathOf(shape.name, 'explain'), read.request)
    batch(() => {
      tried.value = { shape, draft: sent, explanation }
      problem.value = undefined
    })
  } catch (error) {
    problem.value = reasonText(error)
  } finally {
    isRunning.value = false
  }
}

/** The event that was tried as a scenario; with `save`, it is written into the folder of scenarios. */
export function scenarioOf({ shape, draft: sent }: Tried, save?: string): Promise<SavedScenario> {
  const read = requestOf(sent)
  if ('problem' in read) throw new Error(read.problem)
  return sendJson<SavedScenario>(pathOf(shape.name, 'scenario'), {
    ...read.request,
    ...(save !== undefined && { save }),
  })
}

const pathOf = (pipeline: string, what: 'explain' | 'scenario'): string =>
  `/pipelines/${encodeURIComponent(pipeline)}/${what}`

type RequestRead = { readonly request: object } | { readonly problem: string }

function requestOf({ headers: lines, method, query, ...typed }: Draft): RequestRead {
  const read = bytesOfBody(typed)
  if ('problem' in read) return read
  const headers: { [name: string]: string } = {}
  for (const line of lines.split('\n')) {
    if (line.trim() === '') continue
    const [, name, value] = /^\s*([^:\s]+):\s*(.*?)\s*$/.exec(line) ?? []
    if (name === undefined || value === undefined)
      return {
        problem: `A header should be a name and a value such as "X-Signature: ab12"; it is "${line}".`,
      }
    headers[name.toLowerCase()] = value
  }
  const request = {
    ...(typed.form === 'text'
      ? { body: typed.body }
      : { body: base64Of(read.bytes), bodyEncoding: 'base64' }),
    headers,
    ...(method !== '' && { method }),
    ...(query !== '' && { query: query.replace(/^\?/, '') }),
  }
  return { request }
}
