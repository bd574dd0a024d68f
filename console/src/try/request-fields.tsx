import { useRef } from 'preact/hooks'
import { Choice } from '../choice.js'
import { BODY_FORMS, type BodyForm } from './body-form.js'
import type { Draft } from './draft.js'
import { draft, openFile, retype } from './trial.js'

/** As the tap replaces values. */
const MASK = '***'

interface FieldsProps {
  change(changes: Partial<Draft>): void
}

/** The body of the request, and its head. */
export function RequestFields({ change }: FieldsProps) {
  const { body, form } = draft.value
  return (
    <>
      <label>
        Body of the request
        <textarea
          class="mono"
          rows={10}
          spellcheck={false}
          required
          placeholder={PLACEHOLDERS[form]}
          value={body}
          onInput={({ currentTarget }) => change({ body: currentTarget.value })}
        />
      </label>
      <div class="row">
        <Choice
          label="The body is typed as"
          value={form}
          values={BODY_FORMS}
          any={false}
          onChange={(value) => retype(value as BodyForm)}
        />
        <FileButton />
      </div>
      {body.includes(`"${MASK}"`) && (
        <p class="note">
          The body has masked values. A rule or a schema that looks at them sees <code>{MASK}</code>: put
          values of your own there.
        </p>
      )}
      <HeadFields change={change} />
    </>
  )
}

const PLACEHOLDERS: { readonly [form in BodyForm]: string } = {
  text: 'Paste the event as its sender sends it.',
  crlf: 'Paste the event as its sender sends it.',
  hex: '7b 22 69 64 22 3a 31 7d',
  base64: 'eyJpZCI6MX0=',
}

function FileButton() {
  const field = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={field}
        type="file"
        hidden
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? []
          if (file !== undefined) void openFile(file)
          // The same file can be opened again, after a change.
          currentTarget.value = ''
        }}
      />
      <button type="button" class="plain" onClick={() => field.current?.click()}>
        Open a file …
      </button>
    </>
  )
}

function HeadFields({ change }: FieldsProps) {
  const { headers, method, query } = draft.value
  return (
    <details open={headers !== '' || method !== '' || query !== ''}>
      <summary>Headers, method and query</summary>
      <label>
        Headers, one a line; with them, the sender is verified
        <textarea
          class="mono"
          rows={3}
          spellcheck={false}
          placeholder="X-Signature: sha256=…"
          value={headers}
          onInput={({ currentTarget }) => change({ headers: currentTarget.value })}
        />
      </label>
      <div class="row">
        <label>
          Method
          <input
            value={method}
            placeholder="as the source accepts"
            onInput={({ currentTarget }) => change({ method: currentTarget.value.trim().toUpperCase() })}
          />
        </label>
        <label>
          Query
          <input
            value={query}
            placeholder="challenge=abc"
            onInput={({ currentTarget }) => change({ query: currentTarget.value.trim() })}
          />
        </label>
      </div>
    </details>
  )
}
