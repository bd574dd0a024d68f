import { useEffect, useRef } from 'preact/hooks'
import { shapes } from '../api/state.js'
import { count, plural } from '../format.js'
import { Problem } from '../problem.js'
import type { ViewProps } from '../view-props.js'
import { filterOf } from './letter-filter.js'
import { Filters } from './letter-filters.js'
import { LetterPanel } from './letter-panel.js'
import { LetterTable } from './letter-table.js'
import {
  chooseNone,
  choosePage,
  chosen,
  filter,
  followRun,
  isCurrent,
  isReading,
  opened,
  page,
  problem,
  propose,
  read,
  run,
  selection,
  show,
} from './letters-state.js'
import { Confirmation, RunProgress } from './run-panel.js'

/** The dead letters of a pipeline, to look through, replay and discard. */
export function Letters({ rest: [named], query }: ViewProps) {
  const all = shapes.value
  const names = all?.filter(({ deadLetter }) => deadLetter !== undefined).map(({ name }) => name) ?? []
  const name = names.find((one) => one === named) ?? names[0]
  const shown = useRef<string | undefined>(undefined)
  useEffect(() => {
    if (name === undefined) return
    // Other filters look at what was read when the view was opened.
    show(name, filterOf(query), shown.current !== name)
    shown.current = name
  }, [name, String(query)])
  useEffect(() => {
    if (name !== undefined) followRun()
  }, [name])
  if (all === undefined) return <p class="empty">Connecting to Headgate …</p>
  if (name === undefined)
    return <p class="empty">No pipeline has a "deadLetter" topic, so there are no dead letters.</p>
  const found = page.value
  return (
    <>
      <header class="heading">
        <h2>Dead letters</h2>
        <span class="note" role="status">
          {isReading.value
            ? 'reading the topic …'
            : found !== undefined && `as of ${new Date(found.readAt).toLocaleTimeString('en-GB')}`}
        </span>
        <div class="actions">
          <button type="button" class="plain" disabled={isReading.value} onClick={() => void read(true)}>
            Read again
          </button>
        </div>
      </header>
      <Filters names={names} name={name} />
      <Problem text={problem.value} />
      {run.value !== undefined && <RunProgress run={run.value} />}
      {filter.value.status === 'open' && <Actions />}
      <Confirmation />
      {found?.limited === true && <p class="note">Only the newest 100,000 dead letters are looked at.</p>}
      {found !== undefined && (
        <div class={opened.value === undefined ? 'events' : 'events open'}>
          <LetterTable page={found} />
          {opened.value !== undefined && <LetterPanel position={opened.value} />}
        </div>
      )}
    </>
  )
}

function Actions() {
  const found = page.value
  const total = chosen.value.size > 0 ? chosen.value.size : (found?.total ?? 0)
  const which = chosen.value.size > 0 ? `the ${count(total)} chosen` : `all ${count(total)}`
  const isDisabled = total === 0 || !isCurrent.value || run.value?.state === 'running'
  return (
    <div class="letter-actions">
      <button type="button" disabled={isDisabled} onClick={() => void propose('replay', selection())}>
        Replay {which} …
      </button>
      <button
        type="button"
        class="plain"
        disabled={isDisabled}
        onClick={() => void propose('discard', selection())}
      >
        Discard {which} …
      </button>
      {found?.letters.some(({ position }) => !chosen.value.has(position)) && (
        <button type="button" class="plain" onClick={choosePage}>
          {found.total === found.letters.length ? 'Choose all' : 'Choose this page'}
        </button>
      )}
      {chosen.value.size > 0 && (
        <button type="button" class="plain" onClick={chooseNone}>
          Choose none
        </button>
      )}
      {found !== undefined && (
        <span class="note">
          {plural(found.total, 'open dead letter')}, of which {count(found.passing)} would pass now
        </span>
      )}
    </div>
  )
}
