import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Refusals, RunPlan, RunState } from '../../../src/dead-letters/messages.js'
import { count, plural } from '../format.js'
import { confirm, type Proposal, proposal, stop } from './letters-state.js'

/** The dry run of a replay or a discard, to be confirmed. */
export function Confirmation() {
  const proposed = proposal.value
  if (proposed === undefined) return null
  return <Proposed key={`${proposed.kind} ${JSON.stringify(proposed.selection)}`} proposed={proposed} />
}

function Proposed({ proposed }: { readonly proposed: Proposal }) {
  const { kind, plan } = proposed
  const reason = useSignal('')
  const panel = useRef<HTMLElement>(null)
  useEffect(() => panel.current?.focus(), [])
  const isReady = plan !== undefined && plan.count > 0 && (kind === 'replay' || reason.value.trim() !== '')
  return (
    <section
      ref={panel}
      class="panel confirmation"
      tabIndex={-1}
      aria-label={kind === 'replay' ? 'Replay' : 'Discard'}
    >
      {plan === undefined ? <p class="note">A dry run is made …</p> : <Plan kind={kind} plan={plan} />}
      {plan !== undefined && plan.count > 0 && kind === 'discard' && (
        <label>
          Why they are not needed; it is stored with them
          <input
            value={reason.value}
            maxLength={500}
            onInput={({ currentTarget }) => (reason.value = currentTarget.value)}
          />
        </label>
      )}
      <div class="letter-actions">
        <button type="button" disabled={!isReady} onClick={() => void confirm(proposed, reason.value)}>
          {kind === 'replay' ? 'Send them' : 'Discard them'}
        </button>
        <button type="button" class="plain" onClick={() => (proposal.value = undefined)}>
          Cancel
        </button>
      </div>
    </section>
  )
}

function Plan({
  kind,
  plan: { count: letters, targets, refused },
}: {
  readonly kind: RunState['kind']
  readonly plan: RunPlan
}) {
  const text = plural(letters, 'dead letter')
  return (
    <>
      <h3>{kind === 'replay' ? `${text} would be sent` : `${text} would be discarded`}</h3>
      {targets.length > 0 && (
        <ul>
          {targets.map(({ topic, partition, records }) => (
            <li key={`${topic} ${partition}`}>
              {`${plural(records, 'record')} to `}
              <code>{topic}</code>
              {partition === undefined ? ', partition by key' : `, partition ${partition}`}
            </li>
          ))}
        </ul>
      )}
      <RefusalList title="Would not pass, and would stay in the topic" refused={refused} />
    </>
  )
}

function RefusalList({ title, refused }: { readonly title: string; readonly refused: Refusals }) {
  if (refused.count === 0) return null
  return (
    <details>
      <summary>{`${title}: ${count(refused.count)}`}</summary>
      <ul>
        {refused.first.map(({ position, id, why }) => (
          <li key={position}>
            <code>{id}</code> {why}
          </li>
        ))}
      </ul>
      {refused.count > refused.first.length && (
        <p class="note">and {count(refused.count - refused.first.length)} more</p>
      )}
    </details>
  )
}

/** A replay or a discard that is under way or has ended. */
export function RunProgress({ run }: { readonly run: RunState }) {
  const { kind, state, done, total, waits, result } = run
  if (state === 'running')
    return (
      <section class="panel confirmation" aria-label="Progress">
        <label>
          {`${kind === 'replay' ? 'Replaying' : 'Discarding'}: ${count(done)} of ${count(total)}`}
          <progress value={done} max={total} />
        </label>
        {waits !== undefined && <p class="note">{waits}</p>}
        <div class="letter-actions">
          <button type="button" class="plain" onClick={() => void stop()}>
            Stop
          </button>
        </div>
      </section>
    )
  if (result === undefined) return null
  return (
    <section class="panel confirmation" aria-label="Result" role="status">
      <h3>{`${plural(result.settled, 'dead letter')} ${kind === 'replay' ? 'sent' : 'discarded'}`}</h3>
      {result.settledByOthers > 0 && (
        <p>{count(result.settledByOthers)} had been replayed or discarded by another command.</p>
      )}
      {result.inDoubt > 0 && <p>{count(result.inDoubt)} may have been sent; the next replay finds out.</p>}
      {result.reason !== undefined && (
        <p>{`It stopped early; ${count(result.notTried)} were not attempted: ${result.reason}`}</p>
      )}
      <RefusalList title="Left in the topic" refused={result.refused} />
    </section>
  )
}
