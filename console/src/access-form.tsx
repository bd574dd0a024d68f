import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { keepToken } from './api/client.js'

/** Asks for the admin token. */
export function AccessForm({ refused }: { readonly refused: boolean }) {
  const token = useSignal('')
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  const submit = (event: Event) => {
    event.preventDefault()
    if (token.value.trim() !== '') keepToken(token.value.trim())
  }
  return (
    <main>
      <form class="access panel" onSubmit={submit}>
        <h1>Headgate</h1>
        <label for="token">Admin token</label>
        <input
          id="token"
          ref={field}
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={token.value}
          aria-invalid={refused}
          aria-describedby="token-help"
          onInput={({ currentTarget }) => (token.value = currentTarget.value)}
        />
        <p id="token-help" role={refused ? 'alert' : undefined} class={refused ? 'refused' : 'note'}>
          {refused
            ? 'This is not one of the tokens of this Headgate. Expected: a line of the file that HEADGATE_ADMIN_TOKEN_FILE names.'
            : 'A line of the file that HEADGATE_ADMIN_TOKEN_FILE names. It stays in this tab, and is forgotten when you close it.'}
        </p>
        <button type="submit">Open the console</button>
      </form>
    </main>
  )
}
