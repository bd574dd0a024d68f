/** One thing that was done to the system. Times in milliseconds since 1970. */
export interface LoggedFault {
  readonly at: number
  /** What it was, for counting. */
  readonly kind: string
  /** With its details, for people. */
  readonly what: string
  /** Undefined while it lasts. */
  readonly until: number | undefined
}

export interface FaultLog {
  readonly entries: readonly LoggedFault[]
  /** Notes a fault for as long as `task` takes. */
  during<Result>(kind: string, what: string, task: () => Promise<Result>): Promise<Result>
}

export function createFaultLog(): FaultLog {
  const entries: { at: number; kind: string; what: string; until: number | undefined }[] = []
  return {
    entries,
    async during(kind, what, task) {
      const entry = { at: Date.now(), kind, what, until: undefined as number | undefined }
      entries.push(entry)
      try {
        return await task()
      } finally {
        entry.until = Date.now()
      }
    },
  }
}

/** The faults that were going on at any time from `from` to `to`. */
export const faultsAround = (faults: readonly LoggedFault[], from: number, to: number): LoggedFault[] =>
  faults.filter(({ at, until = Number.POSITIVE_INFINITY }) => at <= to && until >= from)
