/** A view gets nothing but its address. Here, so that no view imports the list of all. */
export interface ViewProps {
  /** The parts of the address after the name of the view, decoded. */
  readonly rest: readonly string[]
  readonly query: URLSearchParams
}
