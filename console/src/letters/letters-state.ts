import { batch, signal } from '@preact/signals'
import type { DeadLetterSelection } from '../../../src/admin/api.js'
import type { LetterDetail, LetterPage, RunPlan, RunState } from '../../../src/dead-letters/messages.js'
import { getJson, reasonText, sendJson } from '../api/client.js'
import { ANY, type Filter, problemOf, selectionOf } from './letter-filter.js'

/** Letters of a page. */
export const PAGE = 100
/** Milliseconds between two looks at a run. */
const EVERY = 500

/** A replay or a discard that the operator has to confirm. */
export interface Proposal {
  readonly kind: RunState['kind']
  readonly selection: DeadLetterSelection
  /** The body to send in place of the one of the dead letter. */
  readonly edited: string | undefined
  /** Undefined while it is made. */
  readonly plan: RunPlan | undefined
}

export const pipeline = signal('')
export const filter = signal<Filter>(ANY)
export const offset = signal(0)
export const page = signal<LetterPage | undefined>(undefined)
/** Whether the page is the one that the filter and the offset ask for. */
export const isCurrent = signal(false)
export const isReading = signal(false)
export const problem = signal<string | undefined>(undefined)
/** Positions of the chosen ones; none stands for all that the filter shows. */
export const chosen = signal<ReadonlySet<string>>(new Set())
export const opened = signal<string | undefined>(undefined)
export const detail = signal<LetterDetail | { readonly problem: string } | undefined>(undefined)
export const proposal = signal<Proposal | undefined>(undefined)
export const run = signal<RunState | undefined>(undefined)

const at = (path = '') => `/pipelines/${encodeURIComponent(pipeline.value)}/dead-letters${path}`

let reading = 0

/** Shows a page. `refresh`: reads the topic again. */
export async function read(refresh = false): Promise<void> {
  const number = ++reading
  const query = new URLSearchParams({
    status: filter.value.status,
    offset: String(offset.value),
    limit: String(PAGE),
  })
  for (const [name, value] of Object.entries(selectionOf(filter.value, Date.now())))
    query.set(name, String(value))
  if (refresh) query.set('refresh', 'true')
  const wrong = problemOf(filter.value)
  if (wrong !== undefined) {
    isReading.value = false
    return fail(wrong)
  }
  isReading.value = true
  try {
    const found = await getJson<LetterPage>(`${at()}?${query}`)
    if (number !== reading) return
    batch(() => {
      page.value = found
      isCurrent.value = true
      problem.value = undefined
    })
  } catch (error) {
    if (number === reading) fail(reasonText(error))
  } finally {
    if (number === reading) isReading.value = false
  }
}

/** Rows of another filter go: a replay of all of them would be of others than those that are shown. */
function fail(reason: string): void {
  batch(() => {
    problem.value = reason
    if (!isCurrent.value) page.value = undefined
  })
}

/** Another pipeline, or another filter: begins at the first page. `refresh`: reads the topic again. */
export function show(name: string, wanted: Filter, refresh: boolean): void {
  batch(() => {
    if (pipeline.value !== name) {
      page.value = undefined
      run.value = undefined
    }
    pipeline.value = name
    filter.value = wanted
    offset.value = 0
    isCurrent.value = false
    chosen.value = new Set()
    proposal.value = undefined
    close()
  })
  void read(refresh)
}

export function turnTo(first: number): void {
  batch(() => {
    offset.value = first
    isCurrent.value = false
  })
  void read()
}

export function choose(position: string, isChosen: boolean): void {
  const next = new Set(chosen.value)
  if (isChosen) next.add(position)
  else next.delete(position)
  chosen.value = next
}

export function open(position: string): void {
  opened.value = position
  detail.value = undefined
  getJson<LetterDetail>(at(`/${position}`)).then(
    (found) => {
      if (opened.value === position) detail.value = found
    },
    (error: unknown) => {
      if (opened.value === position) detail.value = { problem: reasonText(error) }
    },
  )
}

export function close(): void {
  opened.value = undefined
  detail.value = undefined
}

/** The chosen ones, or all that the filter shows, as they were read: the operator has seen no newer ones. */
export function selection(): DeadLetterSelection {
  if (chosen.value.size > 0) return { positions: [...chosen.value] }
  const { readAt, newest } = page.value ?? {}
  const shown = selectionOf(filter.value, readAt === undefined ? Date.now() : Date.parse(readAt))
  if (newest === undefined || (shown.until !== undefined && shown.until < newest)) return shown
  return { ...shown, until: newest }
}

/** Chooses those of the page besides the chosen ones. */
export function choosePage(): void {
  chosen.value = new Set([...chosen.value, ...(page.value?.letters ?? []).map(({ position }) => position)])
}

export function chooseNone(): void {
  chosen.value = new Set()
}

/** Asks what a replay or a discard would do. Nothing is written. */
export async function propose(
  kind: RunState['kind'],
  selected: DeadLetterSelection,
  edited?: string,
): Promise<void> {
  const proposed: Proposal = { kind, selection: selected, edited, plan: undefined }
  proposal.value = proposed
  try {
    const plan = await sendJson<RunPlan>(at(`/${kind}`), bodyOf(proposed, true))
    if (proposal.value === proposed) proposal.value = { ...proposed, plan }
  } catch (error) {
    batch(() => {
      if (proposal.value === proposed) proposal.value = undefined
      problem.value = reasonText(error)
    })
  }
}

/** Does what was proposed, and follows it. */
export async function confirm(proposed: Proposal, reason: string): Promise<void> {
  try {
    run.value = await sendJson<RunState>(at(`/${proposed.kind}`), { ...bodyOf(proposed, false), reason })
    batch(() => {
      proposal.value = undefined
      problem.value = undefined
      chosen.value = new Set()
      close()
    })
    followRun()
  } catch (error) {
    problem.value = reasonText(error)
  }
}

const bodyOf = ({ selection: selected, edited }: Proposal, dryRun: boolean): object => ({
  ...selected,
  ...(edited !== undefined && { body: edited }),
  dryRun,
})

/** Looks at the run until it has ended, and shows the rest of the dead letters then. One that ended before is not shown. */
export function followRun(): void {
  const name = pipeline.value
  let isUnderWay = run.value !== undefined
  const look = async () => {
    const found = await getJson<{ readonly run: RunState | null }>(at('/run')).catch(() => undefined)
    if (pipeline.value !== name) return
    isUnderWay ||= found?.run?.state === 'running'
    if (found !== undefined && isUnderWay) run.value = found.run ?? undefined
    if (found === undefined || found.run?.state === 'running') setTimeout(look, EVERY)
    else if (isUnderWay) void read(true)
  }
  void look()
}

export const stop = (): Promise<void> =>
  sendJson(at('/run/stop'), {}).then(
    () => {},
    (error: unknown) => {
      problem.value = reasonText(error)
    },
  )
