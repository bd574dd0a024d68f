import { useSignal } from '@preact/signals'
import { reasonText } from '../api/client.js'
import { OutcomeLabel } from '../outcome.js'
import {
  apply,
  earlierText,
  hasErrors,
  isApplying,
  isChanged,
  isChecked,
  loaded,
  place,
  type Result,
  result,
} from './edit.js'

/** Applies the change, discards it, or goes back to a config that ran before. */
export function ApplyBar() {
  const config = loaded.value
  if (config === undefined) return null
  const { writable, revision } = config
  const isReady = isChanged.value && isChecked.value && !hasErrors.value && !isApplying.value
  return (
    <section class="apply" aria-label="Apply">
      <div class="row">
        {writable && (
          <button type="button" disabled={!isReady} onClick={apply}>
            {isApplying.value ? 'Applying …' : 'Apply'}
          </button>
        )}
        <button type="button" class="plain" disabled={!isChanged.value} onClick={() => place(config.text)}>
          Discard the change
        </button>
        <EarlierConfigs />
        <span class="note">
          {isChanged.value ? `changed since revision ${revision}` : `revision ${revision}, unchanged`}
        </span>
      </div>
      {result.value !== undefined && <ResultText result={result.value} />}
    </section>
  )
}

function ResultText({ result: shown }: { readonly result: Result }) {
  if (shown.kind === 'refused')
    return (
      <p role="alert" class="refused">
        {shown.reason}
      </p>
    )
  const { applied, before } = shown
  return (
    <p role="status">
      <OutcomeLabel kind="delivered">
        {applied.changed
          ? `Revision ${applied.revision} is running.`
          : 'The file was written; it changes nothing.'}
      </OutcomeLabel>{' '}
      {applied.changed && (
        <button type="button" class="link" onClick={async () => place(await earlierText(before))}>
          Go back to {before}
        </button>
      )}
    </p>
  )
}

/** Puts the text of an earlier config into the editor, where its effect can be seen before it is applied. */
function EarlierConfigs() {
  const problem = useSignal<string | undefined>(undefined)
  const { earlier = [] } = loaded.value ?? {}
  if (earlier.length === 0) return null
  const choose = async (revision: string) => {
    if (revision === '') return
    try {
      place(await earlierText(revision))
      problem.value = undefined
    } catch (error) {
      problem.value = reasonText(error)
    }
  }
  return (
    <>
      <label>
        <span>Go back to</span>
        <select value="" onChange={({ currentTarget }) => choose(currentTarget.value)}>
          <option value="">a revision</option>
          {earlier.map(({ revision, until }) => (
            <option key={revision} value={revision}>
              {revision}, until {new Date(until).toLocaleTimeString('en-GB')}
            </option>
          ))}
        </select>
      </label>
      {problem.value !== undefined && <span class="refused">{problem.value}</span>}
    </>
  )
}
