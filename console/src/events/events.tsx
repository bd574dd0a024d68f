import { useEffect } from 'preact/hooks'
import { connection } from '../api/live.js'
import { shapes } from '../api/state.js'
import { Choice } from '../choice.js'
import { count, duration, plural } from '../format.js'
import { OutcomeLabel } from '../outcome.js'
import { OUTCOMES } from '../outcomes.js'
import type { OutcomeKind } from '../overview/graph.js'
import { Problem } from '../problem.js'
import { type Column, ScrollTable, wide } from '../table.js'
import type { ViewProps } from '../view-props.js'
import { EventDetail } from './event-detail.js'
import {
  ANY,
  buttonOf,
  clear,
  type Filter,
  filter,
  followEvents,
  type ListedEvent,
  pause,
  paused,
  refused,
  resume,
  search,
  selected,
  shown,
  skipped,
} from './live-list.js'
import { Refused } from './refused.js'

const TABS = [
  { name: undefined, title: 'Live', address: '#/events' },
  { name: 'refused', title: 'Refused requests', address: '#/events/refused' },
] as const

/** Live events, or the requests that were refused. */
export function Events({ rest: [tab] }: ViewProps) {
  return (
    <>
      <nav class="tabs" aria-label="Events">
        {TABS.map(({ name, title, address }) => (
          <a key={title} href={address} aria-current={name === tab ? 'page' : undefined}>
            {title}
          </a>
        ))}
      </nav>
      {tab === 'refused' ? <Refused /> : <LiveEvents />}
    </>
  )
}

/** The events as they pass. Nothing is asked for while the list is paused. */
function LiveEvents() {
  const current = filter.value
  useEffect(() => (paused.value ? undefined : followEvents(current)), [current, paused.value])
  const event = shown.value.find(({ key }) => key === selected.value)
  return (
    <>
      <header class="heading">
        <h2>Events</h2>
        <ListState />
        <div class="actions">
          <button type="button" class="plain" onClick={clear} disabled={shown.value.length === 0}>
            Clear
          </button>
          <button type="button" aria-pressed={paused.value} onClick={paused.value ? resume : pause}>
            {paused.value ? 'Resume' : 'Pause'}
          </button>
        </div>
      </header>
      <Filters />
      <Problem text={refused.value} />
      <div class={event === undefined ? 'events' : 'events open'}>
        <EventTable />
        {event !== undefined && <EventDetail event={event} />}
      </div>
    </>
  )
}

function ListState() {
  const text =
    connection.value.lost !== undefined
      ? 'not connected'
      : paused.value
        ? 'paused'
        : refused.value === undefined
          ? 'live'
          : 'stopped'
  return (
    <>
      <span class={text === 'live' ? 'state' : 'state paused'} role="status">
        {text}
      </span>
      {skipped.value > 0 && (
        <span class="note">
          {count(skipped.value)} more {skipped.value === 1 ? 'event is' : 'events are'} not shown: the list
          shows at most 20 a second
        </span>
      )}
    </>
  )
}

/** The list begins again, so that it has nothing that the filter keeps out. */
function change(changes: Partial<Filter>): void {
  clear()
  filter.value = { ...filter.value, ...changes }
}

function Filters() {
  const { pipeline, rule, id, code, outcomes } = filter.value
  const all = shapes.value ?? []
  const rules = all
    .filter(({ name }) => pipeline === '' || name === pipeline)
    .flatMap(({ transforms }) => transforms.flatMap((transform) => transform.rules.map(({ name }) => name)))
  return (
    <search class="filters">
      <OutcomeChips outcomes={outcomes} />
      {all.length > 1 && (
        <Choice
          label="Pipeline"
          value={pipeline}
          values={all.map(({ name }) => name)}
          onChange={(value) => change({ pipeline: value, rule: '' })}
        />
      )}
      <Choice
        label="Rule"
        value={rule}
        values={[...new Set(rules)]}
        onChange={(value) => change({ rule: value })}
      />
      <label>
        Id
        <input
          type="search"
          value={id}
          placeholder="the whole id"
          onChange={({ currentTarget }) => change({ id: currentTarget.value.trim() })}
        />
      </label>
      <label>
        Code
        <input
          type="search"
          value={code}
          placeholder="the whole code"
          onChange={({ currentTarget }) => change({ code: currentTarget.value.trim().toUpperCase() })}
        />
      </label>
      <label>
        Text in the list
        <input
          type="search"
          value={search.value}
          placeholder="id, code, message, body"
          onInput={({ currentTarget }) => (search.value = currentTarget.value)}
        />
      </label>
      {(outcomes.length > 0 || `${pipeline}${rule}${id}${code}` !== '') && (
        <button type="button" class="plain" onClick={() => change(ANY)}>
          All events
        </button>
      )}
    </search>
  )
}

function OutcomeChips({ outcomes }: Pick<Filter, 'outcomes'>) {
  const toggle = (outcome: OutcomeKind) =>
    change({
      outcomes: outcomes.includes(outcome)
        ? outcomes.filter((one) => one !== outcome)
        : [...outcomes, outcome],
    })
  return (
    <fieldset>
      <legend>Outcome</legend>
      {OUTCOMES.map((outcome) => (
        <button
          key={outcome}
          type="button"
          class="chip"
          aria-pressed={outcomes.includes(outcome)}
          onClick={() => toggle(outcome)}
        >
          <OutcomeLabel kind={outcome} />
        </button>
      ))}
    </fieldset>
  )
}

const TOOK: Column = { title: 'Took', layout: 'number wide' }

function EventTable() {
  const several = (shapes.value?.length ?? 0) > 1
  const listed = shown.value
  return (
    <ScrollTable
      isPanel
      label="Events, newest first"
      columns={['Time', 'Outcome', several && wide('Pipeline'), 'Event', wide('Rule'), wide('Record'), TOOK]}
      below={
        listed.length > 0 ? (
          <p class="note foot">{plural(listed.length, 'event')}, newest first</p>
        ) : (
          <p class="empty">
            {paused.value ? 'The list is paused.' : 'Events that end from now on appear here. None has yet.'}
          </p>
        )
      }
    >
      {listed.map((event) => (
        <EventRow key={event.key} event={event} several={several} />
      ))}
    </ScrollTable>
  )
}

function EventRow({ event, several }: { readonly event: ListedEvent; readonly several: boolean }) {
  const { key, time, outcome, pipeline, id, route, topic, partition, offset, ms, code } = event
  const isSelected = selected.value === key
  const select = () => {
    selected.value = isSelected ? undefined : key
  }
  return (
    <tr class={isSelected ? 'selected' : ''} onClick={select}>
      <td class="mono">
        <time datetime={time}>{new Date(time).toLocaleTimeString('en-GB')}</time>
      </td>
      <td>
        <OutcomeLabel kind={outcome} />
      </td>
      {several && <td class="wide">{pipeline}</td>}
      <th scope="row">
        <button
          type="button"
          id={buttonOf(event)}
          class="link mono"
          aria-expanded={isSelected}
          onClick={(click) => {
            click.stopPropagation()
            select()
          }}
        >
          {id ?? code ?? 'no id'}
        </button>
        {several && <span class="note narrow">{pipeline}</span>}
      </th>
      <td class="wide">{route ?? (code && id !== undefined ? <span class="note">{code}</span> : '–')}</td>
      <td class="mono wide">{topic === undefined ? '–' : `${topic}/${partition}@${offset}`}</td>
      <td class="number wide">{duration(ms)}</td>
    </tr>
  )
}
