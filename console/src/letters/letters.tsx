import { useEffect } from 'preact/hooks'
import { shapes } from '../api/state.js'
import { count, plural } from '../format.js'
import type { ViewProps } from '../view-props.js'
import { LetterPanel } from './letter-panel.js'
import { LetterTable } from './letter-table.js'
import {
  chosen,
  type Filter,
  filter,
  followRun,
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
export function Letters({ rest: [named] }: ViewProps) {
  const all = shapes.value
  const names = all?.filter(({ deadLetter }) => deadLetter !== undefined).map(({ name }) => name) ?? []
  const name = names.find((one) => one === named) ?? names[0]
  useEffect(() => {
    if (name === undefined) return
    show({ pipeline: name })
    followRun()
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
          {isReading.value || found === undefined
            ? 'reading the topic …'
            : `as of ${new Date(found.readAt).toLocaleTimeString('en-GB')}`}
        </span>
        <div class="actions">
          <button type="button" class="plain" disabled={isReading.value} onClick={() => void read(true)}>
            Read again
          </button>
        </div>
      </header>
      <Filters names={names} name={name} />
      {problem.value !== undefined && (
        <p class="notice unavailable" role="alert">
          {problem.value}
        </p>
      )}
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

const change = (changes: Partial<Filter>) => show({ filter: changes })

function Filters({ names, name }: { readonly names: readonly string[]; readonly name: string }) {
  const { status, code, text, passes } = filter.value
  const codes = page.value?.codes ?? []
  return (
    <search class="filters">
      {names.length > 1 && (
        <label>
          Pipeline
          <select
            value={name}
            onChange={({ currentTarget }) => {
              location.hash = `#/dead-letters/${encodeURIComponent(currentTarget.value)}`
            }}
          >
            {names.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
      )}
      <label>
        Status
        <select
          value={status}
          onChange={({ currentTarget }) => change({ status: currentTarget.value as Filter['status'] })}
        >
          <option value="open">open</option>
          <option value="settled">replayed or discarded</option>
        </select>
      </label>
      <label>
        Code
        <select value={code} onChange={({ currentTarget }) => change({ code: currentTarget.value })}>
          <option value="">any</option>
          {code !== '' && !codes.some((one) => one.code === code) && <option value={code}>{code}</option>}
          {codes.map((one) => (
            <option key={one.code} value={one.code}>
              {`${one.code} (${count(one.count)})`}
            </option>
          ))}
        </select>
      </label>
      <label>
        Now, it
        <select
          value={passes}
          onChange={({ currentTarget }) => change({ passes: currentTarget.value as Filter['passes'] })}
        >
          <option value="">would pass or not</option>
          <option value="true">would pass</option>
          <option value="false">would not pass</option>
        </select>
      </label>
      <label>
        Text
        <input
          type="search"
          value={text}
          placeholder="id, code or message"
          onChange={({ currentTarget }) => change({ text: currentTarget.value })}
        />
      </label>
    </search>
  )
}

function Actions() {
  const found = page.value
  const total = chosen.value.size > 0 ? chosen.value.size : (found?.total ?? 0)
  const which = chosen.value.size > 0 ? `the ${count(total)} chosen` : `all ${count(total)}`
  const isBusy = run.value?.state === 'running'
  return (
    <div class="letter-actions">
      <button
        type="button"
        disabled={total === 0 || isBusy}
        onClick={() => void propose('replay', selection())}
      >
        Replay {which} …
      </button>
      <button
        type="button"
        class="plain"
        disabled={total === 0 || isBusy}
        onClick={() => void propose('discard', selection())}
      >
        Discard {which} …
      </button>
      {found !== undefined && (
        <span class="note">
          {plural(found.total, 'open dead letter')}, of which {count(found.passing)} would pass now
        </span>
      )}
    </div>
  )
}
