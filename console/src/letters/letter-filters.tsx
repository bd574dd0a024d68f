import { useEffect, useRef } from 'preact/hooks'
import type { ValueCount } from '../../../src/dead-letters/messages.js'
import { Choice, type Option } from '../choice.js'
import { count } from '../format.js'
import { ANY, addressOf, type Filter, SPANS } from './letter-filter.js'
import { filter, page } from './letters-state.js'

interface FiltersProps {
  /** The pipelines to choose from, and the one that is shown. */
  readonly names: readonly string[]
  readonly name: string
}

const STATUSES: readonly Option[] = ['open', { value: 'settled', title: 'replayed or discarded' }]
const PROSPECTS: readonly Option[] = [
  { value: 'true', title: 'would pass' },
  { value: 'false', title: 'would not pass' },
]
const TIMES: readonly Option[] = [...SPANS, { value: 'own', title: 'from … to …' }]

/** The filter is in the address: it can be sent to somebody, and the browser can go back to the one before. */
export function Filters({ names, name }: FiltersProps) {
  const current = filter.value
  const { status, code, stage, rule, passes, time } = current
  const { codes = [], stages = [], rules = [] } = page.value ?? {}
  const change = (changes: Partial<Filter>) => {
    location.hash = addressOf(name, { ...filter.value, ...changes })
  }
  const isFiltered = Object.entries(ANY).some(
    ([key, value]) => key !== 'status' && current[key as keyof Filter] !== value,
  )
  return (
    <search class="filters letter-filters">
      {names.length > 1 && (
        <Choice
          label="Pipeline"
          value={name}
          values={names}
          any={false}
          onChange={(other) => {
            location.hash = addressOf(other, { status })
          }}
        />
      )}
      <Choice
        label="Status"
        value={status}
        values={STATUSES}
        any={false}
        onChange={(value) => change({ status: value as Filter['status'] })}
      />
      <Choice
        label="Code"
        value={code}
        values={counted(codes)}
        onChange={(value) => change({ code: value })}
      />
      <Choice
        label="Stage"
        value={stage}
        values={counted(stages)}
        onChange={(value) => change({ stage: value })}
      />
      <Choice
        label="Rule"
        value={rule}
        values={counted(rules)}
        onChange={(value) => change({ rule: value })}
      />
      <Choice
        label="With the running config"
        value={passes}
        values={PROSPECTS}
        any="passes or not"
        onChange={(value) => change({ passes: value as Filter['passes'] })}
      />
      <Choice
        label="Time"
        value={time}
        values={TIMES}
        onChange={(value) => change({ time: value, from: '', to: '' })}
      />
      {time === 'own' && <Bounds current={current} change={change} />}
      <TextFields current={current} change={change} />
      {isFiltered && (
        <button type="button" class="plain" onClick={() => (location.hash = addressOf(name, { status }))}>
          Clear the filter
        </button>
      )}
    </search>
  )
}

const counted = (values: readonly ValueCount[]): Option[] =>
  values.map((one) => ({ value: one.value, title: `${one.value} (${count(one.count)})` }))

interface FieldsProps {
  readonly current: Filter
  change(changes: Partial<Filter>): void
}

const Bounds = ({ current: { from, to }, change }: FieldsProps) => (
  <>
    <label>
      From
      <input
        type="datetime-local"
        value={from}
        onChange={({ currentTarget }) => change({ from: currentTarget.value })}
      />
    </label>
    <label>
      To
      <input
        type="datetime-local"
        value={to}
        onChange={({ currentTarget }) => change({ to: currentTarget.value })}
      />
    </label>
  </>
)

const TextFields = ({ current: { id, text }, change }: FieldsProps) => (
  <>
    <TextField
      label="Event id"
      value={id}
      placeholder="the whole id"
      onChange={(value) => change({ id: value })}
    />
    <TextField
      label="Text"
      value={text}
      placeholder="id, code or message"
      onChange={(value) => change({ text: value })}
    />
  </>
)

interface TextFieldProps {
  readonly label: string
  readonly value: string
  readonly placeholder: string
  onChange(value: string): void
}

function TextField({ label, value, placeholder, onChange }: TextFieldProps) {
  const input = useRef<HTMLInputElement>(null)
  // Not as a property: text that is being typed would be lost whenever a read ends and the view is drawn again.
  useEffect(() => {
    if (input.current !== null) input.current.value = value
  }, [value])
  return (
    <label>
      {label}
      <input
        ref={input}
        type="search"
        placeholder={placeholder}
        spellcheck={false}
        onChange={({ currentTarget }) => onChange(currentTarget.value.trim())}
      />
    </label>
  )
}
