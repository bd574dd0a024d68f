import { useEffect, useRef } from 'preact/hooks'
import type { AttemptLine, EventDetail as Facts } from '../../../src/tap/line.js'
import { count, duration } from '../format.js'
import { OutcomeLabel } from '../outcome.js'
import { draftOf } from '../try/draft.js'
import { Stages } from '../try/steps.js'
import { TryButton } from '../try/try-button.js'
import { Body, isUndecoded } from './body.js'
import { DetailPanel, Entry } from './detail-panel.js'
import { askWhy, explanation, facts, followFacts } from './event-facts.js'
import { buttonOf, type ListedEvent, selected } from './live-list.js'
import { ReceivedBody } from './received-body.js'
import { Waterfall } from './waterfall.js'

/** Everything that Headgate knows of one event. */
export function EventDetail({ event }: { readonly event: ListedEvent }) {
  const { key, time, pipeline, id, outcome, route, topic, partition, offset, ms, code, message, bytes } =
    event
  const { remoteAddress } = event
  useEffect(() => followFacts(event), [key])
  const found = facts.value
  const known = found !== undefined && !('problem' in found) ? found : undefined
  const record = topic === undefined ? undefined : `${topic}, partition ${partition}, offset ${offset}`
  return (
    <DetailPanel
      shows={key}
      label="The chosen event"
      title={<OutcomeLabel kind={outcome} />}
      opener={buttonOf(event)}
      onClose={() => {
        selected.value = undefined
      }}
    >
      <dl>
        <Entry name="Id" value={id} />
        <Entry name="Time" value={new Date(time).toISOString()} />
        <Entry name="Pipeline" value={pipeline} />
        <Entry name="From" value={remoteAddress} />
        <Entry name="Rule" value={route} />
        <Entry name="Receipt" value={record} />
        <Entry name="Took" value={duration(ms)} />
        <Entry name="Code" value={code} />
        <Entry name="Reason" value={message} />
        <Entry name="Trace" value={known?.traceId} />
        <Entry name="Body" value={bytes === undefined ? undefined : `${count(bytes)} bytes`} />
      </dl>
      {found !== undefined && 'problem' in found && <p class="note body-note">{found.problem}</p>}
      {known !== undefined && <Known event={known} listed={event} />}
      <EventBody event={known ?? event} known={known} />
    </DetailPanel>
  )
}

function Known({ event, listed }: { readonly event: Facts; readonly listed: ListedEvent }) {
  const { violations, record, attempts } = event
  return (
    <>
      {violations.length > 0 && (
        <section class="part">
          <h4>The places that decided</h4>
          <ul>
            {violations.map(({ pointer, message }) => (
              <li key={`${pointer} ${message}`}>
                <code>{pointer === '' ? 'the event' : pointer}</code> {message}
              </li>
            ))}
          </ul>
        </section>
      )}
      {event.bytes !== undefined && <Why event={listed} />}
      {event.bytes !== undefined && <TryIt event={event} />}
      <Waterfall times={event.times} ms={event.ms} />
      {attempts.length > 0 && <Attempts attempts={attempts} />}
      {record !== undefined && (
        <details class="part">
          <summary>Record: key and {record.headers.length} headers</summary>
          <dl>
            <Entry name="key" value={record.key ?? 'none'} />
            {record.headers.map(({ name, value }) => (
              <Entry key={name} name={name} value={value} />
            ))}
          </dl>
        </details>
      )}
    </>
  )
}

/** The rules with the values that they have seen: a dry run, made when somebody asks. */
function Why({ event }: { readonly event: ListedEvent }) {
  const found = explanation.value
  const section = useRef<HTMLElement>(null)
  const hasResult = found !== undefined && found !== 'asked'
  // The button that had the focus is gone.
  useEffect(() => void (hasResult && section.current?.focus({ preventScroll: true })), [hasResult])
  return (
    <section ref={section} class="part why" tabIndex={-1} aria-label="Why it went there">
      <h4>Why it went there</h4>
      {found === undefined || found === 'asked' ? (
        <button type="button" class="plain" disabled={found === 'asked'} onClick={() => askWhy(event)}>
          {found === 'asked' ? 'Asking the stages …' : 'Ask the stages'}
        </button>
      ) : 'problem' in found ? (
        <p class="note">{found.problem}</p>
      ) : (
        <>
          <p class="note">With the running config, revision {found.revision}.</p>
          <Stages steps={found.steps} why={undefined} />
        </>
      )}
    </section>
  )
}

const ATTEMPTS = {
  acknowledged: { kind: 'delivered', text: 'acknowledged' },
  retry: { kind: 'rejected', text: 'failed, tries again' },
  'gave-up': { kind: 'unavailable', text: 'failed for good' },
} as const

const Attempts = ({ attempts }: { readonly attempts: readonly AttemptLine[] }) => (
  <section class="part">
    <h4>Acknowledgement</h4>
    <ul>
      {attempts.map(({ time, outcome, stage, ms, code, message }) => (
        <li key={`${stage} ${time}`}>
          <OutcomeLabel kind={ATTEMPTS[outcome].kind}>{ATTEMPTS[outcome].text}</OutcomeLabel>{' '}
          <span class="note">
            {stage}, {new Date(time).toLocaleTimeString('en-GB')}, {duration(ms)}
          </span>
          {code !== undefined && <p>{`${code}: ${message}`}</p>}
        </li>
      ))}
    </ul>
  </section>
)

/** Puts the event into the view Try. */
function TryIt({ event }: { readonly event: Facts }) {
  const draft = draftOf(event)
  return (
    <section class="part">
      <h4>With the running config</h4>
      {draft === undefined ? (
        <p class="note">It cannot be tried here: its body is not here as a whole.</p>
      ) : (
        <TryButton draft={draft} />
      )}
    </section>
  )
}

interface EventBodyProps {
  readonly event: Pick<ListedEvent, 'payload' | 'cut' | 'bytes'>
  readonly known: Facts | undefined
}

function EventBody({ event: { payload, cut, bytes }, known }: EventBodyProps) {
  const received = known?.received
  const places = known?.violations.map(({ pointer }) => pointer)
  if (payload !== undefined || received !== undefined)
    return (
      <>
        {payload !== undefined && !isUndecoded(payload, received) && (
          <Body text={payload} cut={cut === true} received={received} places={places} />
        )}
        {received !== undefined && <ReceivedBody body={received} name={`event-${known?.number}.bin`} />}
      </>
    )
  return (
    <p class="note body-note">
      {bytes === undefined ? (
        <>
          The request was refused before it became an event. Its body can be among the{' '}
          <a href="#/events/refused">refused requests</a>.
        </>
      ) : (
        'The body cannot be shown.'
      )}
    </p>
  )
}
