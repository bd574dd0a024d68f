import { batch, signal } from '@preact/signals'
import type {
  LetterDetail,
  LetterPage,
  LetterSelection,
  RunPlan,
  RunState,
} from '../../../src/dead-letters/messages.js'
import { getJson, reasonText, sendJson } from '../api/client.js'

/** Letters of a page. */
export const PAGE = 100
/** Milliseconds between two looks at a run. */
const EVERY = 500

export interface Filter {
  readonly status: 'open' | 'settled'
  readonly code: string
  readonly text: string
  readonly passes: '' | 'true' | 'false'
}

export const ANY: Filter = { status: 'open', code: '', text: '', passes: '' }

/** A replay or a discard that the operator has to confirm. */
export interface Proposal {
  readonly kind: RunState['kind']
  readonly selection: LetterSelection
  /** The body to send in place of the one of the dead letter. */
  readonly edited: string | undefined
  /** Undefined while it is made. */
  readonly plan: RunPlan | undefined
}

export const pipeline = signal('')
export const filter = signal<Filter>(ANY)
export const offset = signal(0)
export const page = signal<LetterPage | undefined>(undefined)
export const isReading = signal(false)
export const problem = signal<string | undefined>(undefined)
/** Positions of the chosen ones; none stands for all that the filter shows. */
export const chosen = signal<ReadonlySet<string>>(new Set())
export const opened = signal<string | undefined>(undefined)
export const detail = signal<LetterDetail | { readonly problem: string } | undefined>(undefined)
export const proposal = signal<Proposal | undefined>(undefined)
export const run = signal<RunState | undefined>(undefined)

const at = (path = '') => `/pipelines/${encodeURIComponent(pipeline.value)}/dead-letters${path}`

/** The dead letters that the filter shows, on all pages. */
function selectionOf({ code, text, passes }: Filter): LetterSelection {
  return {
    ...(code !== '' && { code }),
    ...(text.trim() !== '' && { text: text.trim() }),
    ...(passes !== '' && { passes: passes === 'true' }),
  }
}

let reading = 0

/** Shows a page. `refresh`: reads the topic again. */
export async function read(refresh = false): Promise<void> {
  const number = ++reading
  const { status, code, text, passes } = filter.value
  const query = new URLSearchParams({ status, offset: String(offset.value), limit: String(PAGE) })
  for (const [name, value] of Object.entries({ code, text: text.trim(), passes }))
    if (value !== '') query.set(name, value)
  if (refresh) query.set('refresh', 'true')
  isReading.value = true
  try {
    const found = await getJson<LetterPage>(`${at()}?${query}`)
    if (number !== reading) return
    batch(() => {
      page.value = found
      problem.value = undefined
    })
  } catch (error) {
    if (number === reading) problem.value = reasonText(error)
  } finally {
    if (number === reading) isReading.value = false
  }
}

/** Another pipeline, or other filters: begins at the first page. */
export function show(changes: { readonly pipeline?: string; readonly filter?: Partial<Filter> }): void {
  batch(() => {
    if (changes.pipeline !== undefined) {
      pipeline.value = changes.pipeline
      page.value = undefined
      run.value = undefined
    }
    filter.value = { ...filter.value, ...changes.filter }
    offset.value = 0
    chosen.value = new Set()
    proposal.value = undefined
    close()
  })
  void read()
}

export function turnTo(first: number): void {
  offset.value = first
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

/** The chosen ones, or all that the filter shows. */
export const selection = (): LetterSelection =>
  chosen.value.size > 0 ? { positions: [...chosen.value] } : selectionOf(filter.value)

/** Asks what a replay or a discard would do. Nothing is written. */
export async function propose(
  kind: RunState['kind'],
  selected: LetterSelection,
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

/** A discard of everything names the time up to which. */
function bodyOf({ kind, selection: selected, edited }: Proposal, dryRun: boolean): object {
  const all = kind === 'discard' && Object.keys(selected).length === 0
  return {
    ...selected,
    ...(all && { until: page.value?.readAt }),
    ...(edited !== undefined && { body: edited }),
    dryRun,
  }
}

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
