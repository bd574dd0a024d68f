import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import type { Flow, PipelineShape, PipelineTraffic } from '../../../src/admin/api.js'
import type { Rule } from '../../../src/contract/index.js'
import { count, rate } from '../format.js'
import { addressOf } from '../letters/letter-filter.js'
import { OutcomeLabel, OutcomeSign } from '../outcome.js'
import { refusedKind } from '../outcomes.js'
import { figures, ScrollTable } from '../table.js'
import { destinationOf, NO_FLOW } from './graph.js'

interface TableProps {
  readonly shape: PipelineShape
  readonly traffic: PipelineTraffic
}

/** With more rules than this, a filter helps. */
const MANY_RULES = 15

/** Every rule in its order, with its traffic. */
export function RulesTable({ shape, traffic }: TableProps) {
  const filter = useSignal('')
  const rules = shape.transforms.flatMap((transform) => transform.rules)
  if (rules.length === 0) return null
  const shown = rules.filter(({ name, to }) =>
    `${name} ${destinationOf(to).title}`.toLowerCase().includes(filter.value.toLowerCase()),
  )
  return (
    <section class="panel">
      <header>
        <h3>Rules</h3>
        {rules.length > MANY_RULES && (
          <label class="filter">
            <span>Filter</span>
            <input
              type="search"
              value={filter.value}
              onInput={({ currentTarget }) => (filter.value = currentTarget.value)}
            />
          </label>
        )}
      </header>
      <ScrollTable
        label="Rules, in the order in which they are tried"
        columns={['Rule', 'To', { title: 'Events/s', layout: 'number wide' }, figures('In 15 min')]}
        below={shown.length === 0 && <p class="empty">No rule matches the filter.</p>}
      >
        {shown.map(({ name, to }) => (
          <RuleRow key={name} name={name} to={to} flow={traffic.rules[name] ?? NO_FLOW} />
        ))}
      </ScrollTable>
    </section>
  )
}

interface RuleRowProps {
  readonly name: string
  readonly to: Rule['to']
  readonly flow: Flow
}

/** There can be hundreds, of which few have traffic: the others are not looked at again each second. */
const RuleRow = ({ name, to, flow }: RuleRowProps) =>
  useMemo(() => {
    const destination = destinationOf(to)
    return (
      <tr>
        <th scope="row">{name}</th>
        <td>
          <OutcomeSign kind={destination.outcome} /> <Breakable text={destination.title} />
          {destination.note !== undefined && <span class="note"> {destination.note}</span>}
        </td>
        <td class="number wide">{rate(flow.rate)}</td>
        <td class="number">{count(flow.count)}</td>
      </tr>
    )
  }, [name, to, flow.rate, flow.count])

/** A topic or a code, which may be broken after each of its parts. */
const Breakable = ({ text }: { readonly text: string }) => (
  <>{text.split(/(?<=[._])/).flatMap((part) => [part, <wbr key={part} />])}</>
)

/** Why events were not delivered: dead letters by code, and responses other than 2xx by status. */
export function ReasonsTable({ traffic }: TableProps) {
  const deadLetters = traffic.deadLetters.toSorted((one, other) => other.count - one.count)
  const statuses = Object.entries(traffic.responses).filter(
    ([status, flow]) => Number(status) >= 400 && flow.count > 0,
  )
  return (
    <section class="panel">
      <header>
        <h3>Refused or dead-lettered, by reason</h3>
      </header>
      {deadLetters.length + statuses.length === 0 ? (
        <p class="empty">In the last 15 minutes nothing was refused, and there was no dead letter.</p>
      ) : (
        <ScrollTable
          label="Reasons, most frequent first"
          columns={['Reason', 'Outcome', figures('In 15 min')]}
        >
          {deadLetters.map(({ stage, code, count: events }) => (
            <tr key={`${stage} ${code}`}>
              <th scope="row">
                <a href={addressOf(traffic.pipeline, { code, stage })}>
                  <Breakable text={code} />
                </a>{' '}
                <span class="note">{stage}</span>
              </th>
              <td>
                <OutcomeLabel kind="dead-lettered" />
              </td>
              <td class="number">{count(events)}</td>
            </tr>
          ))}
          {statuses.map(([status, flow]) => (
            <tr key={status}>
              <th scope="row">
                <a href="#/events/refused">Status {status}</a>{' '}
                <span class="note">{STATUSES[status] ?? ''}</span>
              </th>
              <td>
                <OutcomeLabel kind={refusedKind(Number(status))} />
              </td>
              <td class="number">{count(flow.count)}</td>
            </tr>
          ))}
        </ScrollTable>
      )}
    </section>
  )
}

const STATUSES: { readonly [status: string]: string } = {
  400: 'the body is not as expected',
  401: 'the sender is not authenticated',
  403: 'the network of the sender is not allowed',
  404: 'no such path',
  405: 'wrong method',
  408: 'the request came too slowly',
  413: 'the body is too large',
  415: 'wrong content type or encoding',
  422: 'the event is not valid',
  429: 'the sender sends more than it may',
  431: 'the headers are too large',
  503: 'Headgate could not take it',
}
