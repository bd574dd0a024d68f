import { HeadgateError } from '../contract/errors.js'
import type { RecordLog } from '../contract/index.js'
import { newProgress, type ReadBackOptions, readBack, readUnknown, requireSameLog } from './recovery.js'

/** Whether the ledger knows all that the log holds: before that, no event is taken. */
export interface Reading {
  isOpen(): boolean
  isStopped(): boolean
  /** Records of the log are being learned, here or beside the path of events. */
  underWay(): boolean
  /**
   * Takes no event until the log has been read to its end; `fence` where the fate of a record is unknown, `quiet` where
   * nothing can be on its way to the log.
   */
  begin(how: { readonly fence: boolean; readonly quiet: boolean }): void
  /** As `Ledger.meet`. */
  meet(next: RecordLog): Promise<void>
  /** As `Ledger.canMoveTo`. */
  canMoveTo(next: RecordLog | undefined): boolean
  /** What is being read is read again, from the log of now. */
  logChanged(): void
  notReady(): readonly string[]
  /** As `Ledger.ready`. */
  ready(): Promise<void>
  stop(): void
}

interface Options {
  /** The log of now; without one, there is nothing to read. */
  log(): RecordLog | undefined
  options(log: () => RecordLog): Omit<ReadBackOptions, 'quiet'>
  /** Called each time that all has been read. */
  opened(): void
}

export function createReading({ log, options, opened }: Options): Reading {
  const progress = newProgress()
  let condition: 'idle' | 'reading' | 'open' | 'stopped' = 'idle'
  /** Those that wait for `ready`. */
  let waiting: { resolve(): void; reject(error: HeadgateError): void }[] = []
  /** What is read was sent by the present log's sink, and its fate is unknown. */
  let fenced = false
  let again = false
  let meetings = 0
  let ending = new AbortController()

  async function read(fence: boolean, quiet: boolean): Promise<void> {
    let first = true
    do {
      again = false
      const present = options(() => log() as RecordLog)
      const all = { ...present, quiet, signal: AbortSignal.any([present.signal, ending.signal]) }
      await readBack(all, progress, fence && first)
      if (all.signal.aborted || condition !== 'reading') return
      first = false
    } while (again)
    fenced = false
    condition = 'open'
    opened()
    resolveWaiting()
  }
  function resolveWaiting(): void {
    for (const { resolve } of waiting) resolve()
    waiting = []
  }

  return {
    isOpen: () => condition === 'open',
    isStopped: () => condition === 'idle' || condition === 'stopped',
    underWay: () => condition === 'reading' || meetings > 0,
    begin({ fence, quiet }) {
      if (condition === 'reading') return
      if (log() === undefined) {
        condition = 'open'
        resolveWaiting()
        return
      }
      condition = 'reading'
      ending = new AbortController()
      fenced = fence
      void read(fence, quiet)
    },
    async meet(next) {
      // What is being read now is read again when the log changes.
      if (condition !== 'open') return
      meetings++
      try {
        const all = { ...options(() => next), quiet: false }
        await requireSameLog(next, all.state)
        await readUnknown(all)
      } finally {
        meetings--
      }
    },
    canMoveTo: (next) => condition !== 'reading' || !(fenced || next === undefined),
    logChanged() {
      again = condition === 'reading'
    },
    notReady() {
      if (condition !== 'reading') return []
      const { read, total, problem } = progress
      return [problem ?? `The ledger is being read back from Kafka: ${read} of about ${total} records.`]
    },
    ready() {
      if (condition === 'open') return Promise.resolve()
      return new Promise((resolve, reject) => {
        if (condition === 'stopped') reject(stoppedError())
        else waiting.push({ resolve, reject })
      })
    },
    stop() {
      condition = 'stopped'
      ending.abort()
      for (const { reject } of waiting) reject(stoppedError())
      waiting = []
    },
  }
}

const stoppedError = (): HeadgateError =>
  new HeadgateError('HG_LEDGER_NOT_READY', 'The ledger has been stopped.')
