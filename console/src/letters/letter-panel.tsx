import { useSignal } from '@preact/signals'
import type { LetterDetail } from '../../../src/dead-letters/messages.js'
import { Body, isUndecoded } from '../events/body.js'
import { DetailPanel, Entry } from '../events/detail-panel.js'
import { indented } from '../events/json-text.js'
import { ReceivedBody } from '../events/received-body.js'
import { count } from '../format.js'
import { OutcomeLabel } from '../outcome.js'
import { draftOf } from '../try/draft.js'
import { TryButton } from '../try/try-button.js'
import { buttonOf, ProspectLabel } from './letter-table.js'
import { close, detail, pipeline, propose, run } from './letters-state.js'

/** Everything about one dead letter, and what can be done about it. */
export function LetterPanel({ position }: { readonly position: string }) {
  const found = detail.value
  return (
    <DetailPanel
      shows={position}
      label="The chosen dead letter"
      title={<OutcomeLabel kind="dead-lettered">{`Dead letter ${position}`}</OutcomeLabel>}
      opener={buttonOf(position)}
      onClose={close}
    >
      {found === undefined ? (
        <p class="empty">Reading it …</p>
      ) : 'problem' in found ? (
        <p class="empty">{found.problem}</p>
      ) : (
        <Letter key={position} letter={found} />
      )}
    </DetailPanel>
  )
}

function Letter({ letter }: { readonly letter: LetterDetail }) {
  const { id, time, topic, stage, rule, code, message, action, revision, discarded, receipt } = letter
  const { violations, headers, key, bytes, payload, cut, received } = letter
  return (
    <>
      <dl>
        <Entry name="Reason" value={message} />
        <Entry name="Code" value={code} />
        <Entry name="To do" value={action?.replaceAll('`', '')} />
        <Entry name="Stage" value={stage} />
        <Entry name="Rule" value={rule} />
        <Entry name="Id" value={id} />
        <Entry name="Time" value={time} />
        <Entry name="Topic" value={topic} />
        <Entry name="Revision" value={revision} />
        <Entry name="Body" value={`${count(bytes)} bytes`} />
        {receipt !== undefined && (
          <Entry
            name="Replayed to"
            value={`${receipt.topic}, partition ${receipt.partition}, offset ${receipt.offset}`}
          />
        )}
        {discarded !== undefined && (
          <Entry name="Discarded" value={`${discarded.reason} (${discarded.by}, ${discarded.time})`} />
        )}
      </dl>
      {violations.length > 0 && (
        <section class="part">
          <h4>The places that decided</h4>
          <ul>
            {violations.map((one) => (
              <li key={`${one.pointer} ${one.message}`}>
                <code>{one.pointer === '' ? 'the event' : one.pointer}</code> {one.message}
              </li>
            ))}
          </ul>
        </section>
      )}
      {(letter.status === 'open' || letter.status === 'claimed') && <Deeds letter={letter} />}
      <details class="part">
        <summary>Record: key and {headers.length} headers</summary>
        <dl>
          <Entry name="key" value={key ?? 'none'} />
          {headers.map(({ name, value }, index) => (
            <Entry key={`${index} ${name}`} name={name} value={value} />
          ))}
        </dl>
      </details>
      {payload !== undefined && !isUndecoded(payload, received) && (
        <Body
          text={payload}
          cut={cut === true}
          received={received}
          places={violations.map(({ pointer }) => pointer)}
        />
      )}
      {received !== undefined && (
        <ReceivedBody body={received} name={`dead-letter-${letter.position.replace(':', '-')}.bin`} />
      )}
    </>
  )
}

/** Replay, edit and replay, discard: each begins with a dry run. */
function Deeds({ letter }: { readonly letter: LetterDetail }) {
  const { position, prospect, editable, payload = '', received } = letter
  const shown = received?.text ?? indented(payload)
  const edited = useSignal<string | undefined>(undefined)
  const selection = { positions: [position] }
  const draft = draftOf({ ...letter, pipeline: pipeline.value })
  const isBusy = run.value?.state === 'running'
  return (
    <section class="part deeds">
      <h4>With the running config</h4>
      <Outlook prospect={prospect} />
      {edited.value !== undefined && (
        <label>
          The body to send in its place
          <textarea
            rows={12}
            class="mono"
            spellcheck={false}
            value={edited.value}
            onInput={({ currentTarget }) => (edited.value = currentTarget.value)}
          />
        </label>
      )}
      <div class="letter-actions">
        <button
          type="button"
          disabled={isBusy || (edited.value === undefined && prospect.kind !== 'passes')}
          // Unchanged, the bytes of the dead letter are sent: the text shows its JSON with other white space.
          onClick={() => void propose('replay', selection, edited.value === shown ? undefined : edited.value)}
        >
          {edited.value === undefined ? 'Replay …' : 'Replay edited …'}
        </button>
        {edited.value === undefined ? (
          <button
            type="button"
            class="plain"
            disabled={!editable}
            title={editable ? undefined : 'Use "headgate dlq show --raw".'}
            onClick={() => (edited.value = shown)}
          >
            Edit
          </button>
        ) : (
          <button type="button" class="plain" onClick={() => (edited.value = undefined)}>
            Do not edit
          </button>
        )}
        <button
          type="button"
          class="plain"
          disabled={isBusy}
          onClick={() => void propose('discard', selection)}
        >
          Discard …
        </button>
        {draft !== undefined && <TryButton draft={draft} />}
      </div>
      {!editable && edited.value === undefined && (
        <p class="note">
          {received === undefined
            ? 'It cannot be edited here, because masked or secret values are not shown'
            : 'It cannot be edited here, because it is not shown as it is'}
          : use "headgate dlq show {position} --raw".
        </p>
      )}
    </section>
  )
}

/** The result that a replay would have. */
const Outlook = ({ prospect }: Pick<LetterDetail, 'prospect'>) => (
  <p>
    <ProspectLabel prospect={prospect} />
    {prospect.kind === 'passes' && (
      <span class="note">
        {' '}
        to {prospect.topic}
        {prospect.partition === undefined ? '' : `, partition ${prospect.partition}`}
      </span>
    )}
    {prospect.kind === 'fails' && <span class="note">{` ${prospect.code}: ${prospect.message}`}</span>}
  </p>
)
