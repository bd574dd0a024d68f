import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { AccessForm } from './access-form.js'
import { access, forgetToken, hasToken } from './api/client.js'
import { connection } from './api/live.js'
import { followTraffic, traffic } from './api/state.js'
import { VIEWS } from './views.js'

/** The part of the address after `#`. */
const place = signal(location.hash)
addEventListener('hashchange', () => {
  place.value = location.hash
})

export function App() {
  const { value } = access
  if (value.kind === 'token') return <AccessForm refused={value.refused} />
  if (value.kind === 'closed')
    return (
      <main class="access panel">
        <h1>Headgate</h1>
        <p>{value.reason}</p>
      </main>
    )
  return <Frame />
}

function Frame() {
  useEffect(() => followTraffic(), [])
  const [path = '', query] = place.value.split('?')
  const [, name, ...rest] = path.split('/')
  const view = VIEWS.find((one) => one.name === name) ?? VIEWS[0]
  const { lost } = connection.value
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the content
      </button>
      <header class="frame">
        <h1>
          <a class="brand" href="#/overview">
            <Gate />
            <span>Headgate</span>
          </a>
        </h1>
        <nav aria-label="Views">
          {VIEWS.map((one) => (
            <a key={one.name} href={`#/${one.name}`} aria-current={view === one ? 'page' : undefined}>
              {one.title}
            </a>
          ))}
        </nav>
        <Health />
        {hasToken() && (
          <button type="button" class="plain" onClick={forgetToken}>
            Forget the token
          </button>
        )}
      </header>
      {lost !== undefined && (
        <p class="notice lost" role="alert">
          The connection to Headgate is lost: {lost} Everything below is as it was before. Trying again …
        </p>
      )}
      <main id="main" tabIndex={-1} class={lost === undefined ? '' : 'stale'}>
        {view !== undefined && <view.View rest={rest.map(decoded)} query={new URLSearchParams(query)} />}
      </main>
    </>
  )
}

/** A part of the address as it is, if somebody has typed it wrongly. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

const Gate = () => (
  <svg aria-hidden="true" viewBox="0 0 24 24">
    <path d="M5 21V6a7 7 0 0 1 14 0v15M9 21v-9M12 21V8M15 21v-9" />
  </svg>
)

function Health() {
  const now = traffic.value
  if (now === undefined) return <span class="health" />
  const isReady = now.notReady.length === 0 && connection.value.lost === undefined
  const text = connection.value.lost === undefined ? (isReady ? 'Ready' : 'Not ready') : 'No connection'
  return (
    <span class={isReady ? 'health ready' : 'health'}>
      <span role="status">{text}</span>
      <span class="note">
        revision <code>{now.revision}</code>
      </span>
    </span>
  )
}
