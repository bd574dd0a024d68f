import type { ComponentChildren } from 'preact'
import { Scrollable } from './scrollable.js'

/** The title of a column. Figures are on the right, `wide` ones are left out on a phone. */
export type Column = string | { readonly title: string; readonly layout: 'number' | 'wide' | 'number wide' }

interface TableProps {
  /** False for a column that is left out. */
  readonly columns: readonly (Column | false)[]
  readonly class?: string
  /** The rows. */
  readonly children: ComponentChildren
}

export const Table = ({ columns, class: name = '', children }: TableProps) => (
  <table class={name}>
    <thead>
      <tr>{columns.map((column) => column !== false && <Head key={titleOf(column)} column={column} />)}</tr>
    </thead>
    <tbody>{children}</tbody>
  </table>
)

interface ScrollTableProps extends Omit<TableProps, 'class'> {
  /** Names the table for readers of screens. */
  readonly label: string
  /** The table is a panel of its own. */
  readonly isPanel?: boolean
  /** Scrolls with the table. */
  readonly below?: ComponentChildren
}

/** A table that scrolls under its heads. */
export const ScrollTable = ({ label, isPanel = false, below, ...table }: ScrollTableProps) => (
  <Scrollable label={label} class={isPanel ? 'panel scroll' : 'scroll'}>
    <Table {...table} />
    {below}
  </Scrollable>
)

/** A column that is left out on a phone. */
export const wide = (title: string): Column => ({ title, layout: 'wide' })

/** A column of figures. */
export const figures = (title: string): Column => ({ title, layout: 'number' })

const titleOf = (column: Column): string => (typeof column === 'string' ? column : column.title)

const Head = ({ column }: { readonly column: Column }) => (
  <th scope="col" class={typeof column === 'string' ? '' : column.layout}>
    {titleOf(column)}
  </th>
)
