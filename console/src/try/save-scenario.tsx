import { useSignal } from '@preact/signals'
import type { SavedScenario } from '../../../src/admin/api.js'
import { reasonText } from '../api/client.js'
import { writable } from '../api/state.js'
import { download } from '../download.js'
import { bytesOfBody, textOf } from './body-form.js'
import { scenarioOf, type Tried } from './trial.js'

/** Keeps the event and its result for `headgate test`. */
export function SaveScenario({ tried }: { readonly tried: Tried }) {
  if (isBytes(tried))
    return (
      <section class="panel save">
        <h3>Save it as a scenario</h3>
        <p class="note">
          A scenario has its event as text, and these bytes are none. Keep them in a file:{' '}
          <code>headgate explain FILE</code> shows the same result.
        </p>
      </section>
    )
  return <Form tried={tried} />
}

/** Whether the body is no text. */
function isBytes({ draft }: Tried): boolean {
  const read = bytesOfBody(draft)
  return 'bytes' in read && textOf(read.bytes) === undefined
}

function Form({ tried }: { readonly tried: Tried }) {
  const name = useSignal(nameOf(tried))
  const result = useSignal<{ readonly saved: SavedScenario } | { readonly problem: string } | undefined>(
    undefined,
  )
  const save = async (intoFolder: boolean) => {
    try {
      const saved = await scenarioOf(tried, intoFolder ? name.value : undefined)
      if (!intoFolder) download(`${name.value}.json`, 'application/json', saved.text)
      result.value = { saved }
    } catch (error) {
      result.value = { problem: reasonText(error) }
    }
  }
  return (
    <section class="panel save">
      <h3>Save it as a scenario</h3>
      <p class="note">
        A scenario expects the result that the event has now; <code>headgate test</code> checks it. Check that
        it is the result you want, and remove secrets and personal data before you commit it.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void save(writable.value)
        }}
      >
        <label>
          Name of the file
          <input
            value={name.value}
            spellcheck={false}
            pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"
            required
            onInput={({ currentTarget }) => (name.value = currentTarget.value)}
          />
        </label>
        {writable.value && <button type="submit">Save in scenarios/</button>}
        <button type="button" class={writable.value ? 'plain' : ''} onClick={() => save(false)}>
          Download
        </button>
      </form>
      {result.value !== undefined && <Saved result={result.value} />}
    </section>
  )
}

function Saved({
  result,
}: {
  readonly result: { readonly saved: SavedScenario } | { readonly problem: string }
}) {
  if ('problem' in result)
    return (
      <p class="refused" role="alert">
        {result.problem}
      </p>
    )
  const { file, doubts } = result.saved
  return (
    <div role="status">
      <p>
        {file === null
          ? 'Downloaded: put it into the folder scenarios beside the config.'
          : `Saved as ${file}.`}
      </p>
      {doubts.length > 0 && (
        <ul>
          {doubts.map((doubt) => (
            <li key={doubt}>{doubt}</li>
          ))}
        </ul>
      )}
    </div>
  )
}

/** A name of a file from the id of the event. */
const nameOf = ({ explanation: { outcome, route } }: Tried): string =>
  `${outcome.id ?? outcome.kind}-${route ?? outcome.code ?? outcome.kind}`
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 80)
