/** A value, and its title if that is another. */
export type Option = string | { readonly value: string; readonly title: string }

interface ChoiceProps {
  readonly label: string
  /** Empty for any. */
  readonly value: string
  readonly values: readonly Option[]
  /** The title of the empty value; false if one of the values has to be chosen. */
  readonly any?: string | false
  onChange(value: string): void
}

/** One of several values, or any. A value that is none of them stays the one that is chosen. */
export function Choice({ label, value, values, any = 'any', onChange }: ChoiceProps) {
  const options = values.map((one) => (typeof one === 'string' ? { value: one, title: one } : one))
  const isListed = value === '' || options.some((one) => one.value === value)
  return (
    <label>
      {label}
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {any !== false && <option value="">{any}</option>}
        {!isListed && <option value={value}>{value}</option>}
        {options.map(({ value: one, title }) => (
          <option key={one} value={one}>
            {title}
          </option>
        ))}
      </select>
    </label>
  )
}
