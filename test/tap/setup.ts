import type { MaskPath } from '../../src/lib/json/masked.js'
import type { CompletedEvent } from '../../src/pipeline/taps.js'
import type { TapReader, TapRequest } from '../../src/tap/tap.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'

/** An event that was delivered, or what a test says of it. */
export function completedEvent({
  masks = [],
  name = 'orders',
  ...more
}: Partial<CompletedEvent> & {
  readonly masks?: readonly MaskPath[]
  readonly name?: string
}): CompletedEvent {
  return {
    pipeline: { name, masks },
    remoteAddress: undefined,
    outcome: { kind: 'delivered', id: 'a', receipt: { topic: 'events', partition: 0, offset: 12 } },
    event: eventOf('a'),
    at: Date.UTC(2026, 0),
    took: 1,
    error: undefined,
    rule: undefined,
    record: undefined,
    times: [],
    askRule: undefined,
    ...more,
  }
}

export const requestFor = (more: Partial<TapRequest> = {}): TapRequest => ({
  filter: { pipelines: [], outcomes: [], routes: [], ids: [], codes: [] },
  view: { payload: 0, masks: [] },
  pipelines: ['orders'],
  rate: 100,
  limit: undefined,
  duration: undefined,
  keeps: false,
  ...more,
})

/** A reader that keeps what it is given; `takes` false says that it wants no more for now. */
export function readerOf(): TapReader & {
  readonly lines: { readonly kind: string; readonly [name: string]: unknown }[]
  takes: boolean
  ended: 'no' | 'ended' | 'dropped'
} {
  const reader: ReturnType<typeof readerOf> = {
    lines: [],
    takes: true,
    ended: 'no',
    write(text) {
      reader.lines.push(JSON.parse(text))
      return reader.takes
    },
    end() {
      reader.ended = 'ended'
    },
    drop() {
      reader.ended = 'dropped'
    },
  }
  return reader
}
