import type { LetterLine, LetterPage, ProspectLine } from '../../../src/dead-letters/messages.js'
import { count } from '../format.js'
import { OutcomeLabel } from '../outcome.js'
import { ScrollTable } from '../table.js'
import { choose, chosen, close, filter, offset, open, opened, PAGE, turnTo } from './letters-state.js'

/** The id of the button that opens a dead letter. */
export const buttonOf = (position: string): string => `letter-${position}`

export function LetterTable({ page }: { readonly page: LetterPage }) {
  const isOpen = filter.value.status === 'open'
  return (
    <div class="panel letters">
      <ScrollTable
        label="Dead letters, newest first"
        columns={[isOpen && 'Choose', 'Time', 'Event', 'Reason', isOpen ? 'Now' : 'Settled']}
        below={page.total === 0 && <p class="empty">No dead letter matches.</p>}
      >
        {page.letters.map((line) => (
          <Row key={line.position} line={line} isOpen={isOpen} />
        ))}
      </ScrollTable>
      {page.total > 0 && <Pages total={page.total} />}
    </div>
  )
}

function Pages({ total }: { readonly total: number }) {
  const first = offset.value
  const last = Math.min(first + PAGE, total)
  return (
    <nav class="pages" aria-label="Pages">
      <button
        type="button"
        class="plain"
        disabled={first === 0}
        onClick={() => turnTo(Math.max(0, first - PAGE))}
      >
        Newer
      </button>
      <span class="note">{`${count(first + 1)} to ${count(last)} of ${count(total)}`}</span>
      <button type="button" class="plain" disabled={last >= total} onClick={() => turnTo(first + PAGE)}>
        Older
      </button>
    </nav>
  )
}

function Row({ line, isOpen }: { readonly line: LetterLine; readonly isOpen: boolean }) {
  const { position, time, id, code, message } = line
  const isShown = opened.value === position
  const toggle = () => (isShown ? close() : open(position))
  return (
    <tr class={isShown ? 'selected' : ''}>
      {isOpen && (
        <td>
          <input
            type="checkbox"
            aria-label={`Choose ${id}`}
            checked={chosen.value.has(position)}
            onChange={({ currentTarget }) => choose(position, currentTarget.checked)}
          />
        </td>
      )}
      <td class="mono">
        <time datetime={time}>{shortTime(time)}</time>
      </td>
      <th scope="row">
        <button
          type="button"
          id={buttonOf(position)}
          class="link mono"
          aria-expanded={isShown}
          onClick={toggle}
        >
          {id}
        </button>
      </th>
      <td class="reason">
        <code>{code}</code> <span class="note">{message}</span>
      </td>
      <td>{isOpen ? <Prospect line={line} /> : <Settled line={line} />}</td>
    </tr>
  )
}

/** The date only if it is not today. */
function shortTime(time: string): string {
  const at = new Date(time)
  const clock = at.toLocaleTimeString('en-GB')
  return at.toDateString() === new Date().toDateString()
    ? clock
    : `${at.toLocaleDateString('en-CA')} ${clock}`
}

function Prospect({ line: { status, prospect } }: { readonly line: LetterLine }) {
  if (status === 'claimed') return <OutcomeLabel kind="handshake">a replay is under way</OutcomeLabel>
  if (status === 'unknown') return <OutcomeLabel kind="unavailable">not proven</OutcomeLabel>
  return <ProspectLabel prospect={prospect} />
}

export function ProspectLabel({ prospect }: { readonly prospect: ProspectLine }) {
  if (prospect.kind === 'passes') return <OutcomeLabel kind="delivered">would pass</OutcomeLabel>
  if (prospect.kind === 'none') return <OutcomeLabel kind="unavailable">failed acknowledgement</OutcomeLabel>
  if (prospect.kind === 'dropped') return <OutcomeLabel kind="dropped">would be dropped</OutcomeLabel>
  return <OutcomeLabel kind="rejected">would fail again</OutcomeLabel>
}

function Settled({ line: { status, receipt } }: { readonly line: LetterLine }) {
  if (status === 'discarded') return <OutcomeLabel kind="dropped">discarded</OutcomeLabel>
  if (status === 'acknowledged') return <OutcomeLabel kind="delivered">acknowledged</OutcomeLabel>
  return (
    <OutcomeLabel kind="delivered">
      {receipt === undefined ? 'replayed' : `${receipt.topic}/${receipt.partition}@${receipt.offset}`}
    </OutcomeLabel>
  )
}
