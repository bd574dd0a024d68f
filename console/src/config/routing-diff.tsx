import { useSignal } from '@preact/signals'
import type { Destination, Diff, Move } from '../../../src/admin/api.js'
import { shapes } from '../api/state.js'
import { count, plural } from '../format.js'
import { OutcomeSign } from '../outcome.js'
import { figures, ScrollTable } from '../table.js'
import { compare, diff, diffProblem, hasErrors, isComparing, text } from './edit.js'

/** The newest events of a pipeline that would go elsewhere, as by `headgate diff`. */
export function RoutingDiff() {
  const chosen = useSignal('')
  const names = (shapes.value ?? []).map(({ name }) => name)
  const pipeline = names.includes(chosen.value) ? chosen.value : names[0]
  const shown = diff.value
  return (
    <section class="panel routing">
      <header>
        <h3>Change of the routing</h3>
        <div class="row">
          {names.length > 1 && (
            <select
              aria-label="Pipeline"
              value={pipeline}
              onChange={({ currentTarget }) => (chosen.value = currentTarget.value)}
            >
              {names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
          <button
            type="button"
            class="plain"
            disabled={pipeline === undefined || hasErrors.value || isComparing.value}
            onClick={() => pipeline !== undefined && compare(pipeline)}
          >
            {isComparing.value ? 'Comparing …' : 'Compare with past events'}
          </button>
        </div>
      </header>
      {diffProblem.value !== undefined && (
        <p class="refused" role="alert">
          {diffProblem.value}
        </p>
      )}
      {shown === undefined ? (
        <p class="note">
          Reads the newest 500 records in the topics of the pipeline, dead letters included, and runs their
          events under both configs. Nothing is written.
        </p>
      ) : (
        <Compared diff={shown.diff} isOld={shown.text !== text.value} />
      )}
    </section>
  )
}

function Compared({
  diff: { pipeline, comparison, notes },
  isOld,
}: {
  readonly diff: Diff
  readonly isOld: boolean
}) {
  const { events, moves, changes, refusedBefore, refusedAfter } = comparison
  const moved = moves.filter(({ before, after }) => textOf(before) !== textOf(after))
  const total = moved.reduce((sum, move) => sum + move.count, 0)
  return (
    <div role="status">
      {isOld && <p class="refused">The text has changed since; compare again.</p>}
      <p class="summary">
        {events === 0
          ? `${pipeline} has no past events to compare.`
          : `${count(total)} of ${plural(events, 'event')} of ${pipeline} would go elsewhere. Refused: ${count(refusedBefore)} before, ${count(refusedAfter)} after.`}
      </p>
      {moved.length + changes.length > 0 && (
        <ScrollTable
          label="Events that would go elsewhere"
          columns={[figures('Events'), 'From', 'To', { title: 'For example', layout: 'wide' }]}
        >
          {moved.map((move) => (
            <MoveRow key={textOf(move.before) + textOf(move.after)} move={move} />
          ))}
          {changes.map(({ at, aspects, count: number, examples }) => (
            <tr key={`${textOf(at)} ${aspects}`}>
              <td class="number">{count(number)}</td>
              <td>
                <Place at={at} />
              </td>
              <td>the same, with a different {aspects.join(', ')}</td>
              <td class="mono wide examples">{examples.join(', ')}</td>
            </tr>
          ))}
        </ScrollTable>
      )}
      {notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
    </div>
  )
}

const MoveRow = ({ move: { before, after, count: number, examples } }: { readonly move: Move }) => (
  <tr>
    <td class="number">{count(number)}</td>
    <td>
      <Place at={before} />
    </td>
    <td>
      <Place at={after} />
    </td>
    <td class="mono wide examples">{examples.join(', ')}</td>
  </tr>
)

const Place = ({ at: { rule, to, refused } }: { readonly at: Destination }) => (
  <>
    <OutcomeSign kind={refused ? 'rejected' : kindOf(to)} /> {to.replace(/ (\d+)$/, ', partition $1')}
    {rule !== undefined && <span class="note"> {rule}</span>}
  </>
)

const kindOf = (to: string) =>
  to.startsWith('dead letter') ? 'dead-lettered' : to === 'dropped' ? 'dropped' : 'delivered'

const textOf = ({ rule = '', to }: Destination): string => `${rule}: ${to}`
