import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { shapes } from '../api/state.js'
import { Choice } from '../choice.js'
import { ANY, followEvents, type ListedEvent, shown } from '../events/live-list.js'
import { OutcomeLabel, OutcomeSign } from '../outcome.js'
import type { Draft } from './draft.js'
import { conclusionOf } from './one-event.js'
import { RequestFields } from './request-fields.js'
import { SaveScenario } from './save-scenario.js'
import { Results, Steps } from './steps.js'
import { draft, isRunning, pick, problem, run, tried } from './trial.js'
import { Way } from './way.js'

/** A dry run of an event: what would happen to it, step by step. */
export function Try() {
  const all = shapes.value
  if (all === undefined) return <p class="empty">Connecting to Headgate …</p>
  const shape = all.find(({ name }) => name === draft.value.pipeline) ?? all[0]
  if (shape === undefined) return <p class="empty">The config has no pipeline.</p>
  const result = tried.value
  return (
    <article class="try">
      <header class="heading">
        <h2>Try an event</h2>
        <p class="note">A dry run with the running config: nothing is sent, written or acknowledged.</p>
      </header>
      <form
        class="panel draft"
        onSubmit={(event) => {
          event.preventDefault()
          void run(shape)
        }}
      >
        <Fields names={all.map(({ name }) => name)} pipeline={shape.name} />
        {problem.value !== undefined && (
          <p class="refused" role="alert">
            {problem.value}
          </p>
        )}
      </form>
      {result !== undefined && (
        <>
          <p class="panel conclusion" role="status">
            <OutcomeSign kind={result.explanation.outcome.kind} />
            <span>{conclusionOf(result.explanation)}</span>
            {result.explanation.outcome.message !== undefined && (
              <span class="note">{result.explanation.outcome.message}</span>
            )}
          </p>
          <Way tried={result} />
          <div class="pair">
            <Steps explanation={result.explanation} />
            <Results explanation={result.explanation} />
          </div>
          <SaveScenario key={JSON.stringify(result.draft)} tried={result} />
        </>
      )}
    </article>
  )
}

function Fields({ names, pipeline }: { readonly names: readonly string[]; readonly pipeline: string }) {
  const picking = useSignal(false)
  const change = (changes: Partial<Draft>) => {
    draft.value = { ...draft.value, ...changes }
  }
  return (
    <>
      <div class="row">
        {names.length > 1 && (
          <Choice
            label="Pipeline"
            value={pipeline}
            values={names}
            any={false}
            onChange={(name) => change({ pipeline: name })}
          />
        )}
        <button
          type="button"
          class="plain"
          aria-expanded={picking.value}
          onClick={() => (picking.value = !picking.value)}
        >
          Pick a recent event
        </button>
      </div>
      {picking.value && (
        <RecentEvents
          onPick={(event) => {
            picking.value = false
            void pick(event)
          }}
        />
      )}
      <RequestFields change={change} />
      <div class="row">
        <button type="submit" disabled={isRunning.value}>
          {isRunning.value ? 'Trying …' : 'Try it'}
        </button>
      </div>
    </>
  )
}

const MOST_RECENT = 8

/** Events as they pass. */
function RecentEvents({ onPick }: { onPick(event: ListedEvent): void }) {
  useEffect(() => followEvents(ANY), [])
  const recent = shown.value.filter(({ bytes }) => bytes !== undefined).slice(0, MOST_RECENT)
  if (recent.length === 0)
    return <p class="note">Events that end from now on appear here. None with a body has yet.</p>
  return (
    <ul class="recent">
      {recent.map((event) => (
        <li key={event.key}>
          <button type="button" class="link mono" onClick={() => onPick(event)}>
            {event.id ?? event.code ?? 'no id'}
          </button>{' '}
          <OutcomeLabel kind={event.outcome} />{' '}
          <span class="note">
            {event.pipeline} · {new Date(event.time).toLocaleTimeString('en-GB')}
          </span>
        </li>
      ))}
    </ul>
  )
}
