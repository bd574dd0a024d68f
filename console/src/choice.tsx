interface ChoiceProps {
  readonly label: string
  /** Empty for any. */
  readonly value: string
  readonly values: readonly string[]
  onChange(value: string): void
}

/** One of several values, or any. */
export const Choice = ({ label, value, values, onChange }: ChoiceProps) => (
  <label>
    {label}
    <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
      <option value="">any</option>
      {values.map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  </label>
)
