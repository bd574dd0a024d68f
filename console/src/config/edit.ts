import { batch, computed, signal } from '@preact/signals'
import type {
  AppliedConfig,
  ConfigText,
  Diff,
  EarlierText,
  Finding,
  Findings,
} from '../../../src/admin/api.js'
import { ApiError, getJson, reasonText, sendJson } from '../api/client.js'
import type { Schema } from './schema-at.js'

/** The config as it was read; undefined until then. */
export const loaded = signal<ConfigText | undefined>(undefined)
export const schema = signal<Schema | undefined>(undefined)
/** The text in the editor. */
export const text = signal('')
/** A text that replaces that of the editor: the file as it was read, or an earlier one. */
export const placed = signal<{ readonly text: string }>({ text: '' })
/** Why the config cannot be read. */
export const unreadable = signal<string | undefined>(undefined)

/** The problems of the last text that was checked; undefined if none was. */
export const findings = signal<readonly Finding[] | undefined>(undefined)
/** Why the text could not be checked. */
export const unchecked = signal<string | undefined>(undefined)
/** The last text that was checked, or could not be. */
export const settled = signal('')

/** The effect on past events; `text`: of which text. */
export const diff = signal<{ readonly text: string; readonly diff: Diff } | undefined>(undefined)
export const diffProblem = signal<string | undefined>(undefined)
export const isComparing = signal(false)

export type Result =
  | { readonly kind: 'applied'; readonly applied: AppliedConfig; readonly before: string }
  | { readonly kind: 'refused'; readonly reason: string }
export const result = signal<Result | undefined>(undefined)
export const isApplying = signal(false)

export const isChanged = computed(() => loaded.value !== undefined && text.value !== loaded.value.text)
export const isChecked = computed(() => settled.value === text.value && unchecked.value === undefined)
export const hasErrors = computed(() => findings.value?.some(({ severity }) => severity === 'error') === true)

/** Reads the config again. The text in the editor is replaced unless it was changed. */
export async function load(): Promise<void> {
  try {
    const [config, found] = await Promise.all([
      getJson<ConfigText>('/config'),
      schema.value ?? getJson<Schema>('/config/schema'),
    ])
    batch(() => {
      const keep = isChanged.value
      loaded.value = config
      schema.value = found
      unreadable.value = undefined
      if (!keep) place(config.text)
    })
  } catch (error) {
    unreadable.value = reasonText(error)
  }
}

/** Somebody has changed the text in the editor. */
export function edit(changed: string): void {
  if (changed === text.value) return
  batch(() => {
    text.value = changed
    result.value = undefined
  })
  checkSoon(CHECK_AFTER)
}

/** Puts another text into the editor. */
export function place(other: string): void {
  batch(() => {
    text.value = other
    placed.value = { text: other }
    result.value = undefined
  })
  checkSoon(0)
}

/** Milliseconds without a change until the text is checked. */
const CHECK_AFTER = 500
const RETRY_AFTER = 5000

let timer: ReturnType<typeof setTimeout> | undefined
let isChecking = false

function checkSoon(wait: number): void {
  clearTimeout(timer)
  timer = setTimeout(() => void check(), wait)
}

/** One at a time: a check of a large config takes longer than somebody needs for the next word. */
async function check(): Promise<void> {
  if (isChecking) return
  isChecking = true
  const checked = text.value
  try {
    const { problems } = await sendJson<Findings>('/config/check', { text: checked })
    if (checked === text.value)
      batch(() => {
        findings.value = problems
        unchecked.value = undefined
      })
  } catch (error) {
    unchecked.value = reasonText(error)
    // A busy machine may have more time later; another reason stays.
    if (!(error instanceof ApiError) || error.status >= 500) checkSoon(RETRY_AFTER)
  } finally {
    settled.value = checked
    isChecking = false
    if (checked !== text.value) checkSoon(CHECK_AFTER)
  }
}

/** Runs the newest events of a pipeline under the running config and under the text. */
export async function compare(pipeline: string): Promise<void> {
  const compared = text.value
  isComparing.value = true
  try {
    const found = await sendJson<Diff>('/config/diff', { pipeline, text: compared })
    batch(() => {
      diff.value = { text: compared, diff: found }
      diffProblem.value = undefined
    })
  } catch (error) {
    diffProblem.value = reasonText(error)
  } finally {
    isComparing.value = false
  }
}

/** Writes the text into the file; it is in effect before the response. */
export async function apply(): Promise<void> {
  const before = loaded.value
  if (before === undefined) return
  isApplying.value = true
  try {
    const options = { method: 'PUT', headers: { 'if-match': before.tag } }
    const applied = await sendJson<AppliedConfig>('/config', { text: text.value }, options)
    const now = await getJson<ConfigText>('/config')
    batch(() => {
      loaded.value = now
      place(now.text)
      result.value = { kind: 'applied', applied, before: before.revision }
      diff.value = undefined
    })
  } catch (error) {
    result.value = { kind: 'refused', reason: reasonText(error) }
  } finally {
    isApplying.value = false
  }
}

/** The text of a config that ran before. */
export const earlierText = async (revision: string): Promise<string> =>
  (await getJson<EarlierText>(`/config/revisions/${encodeURIComponent(revision)}`)).text
