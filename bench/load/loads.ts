/** A load on a program. */
export interface Load {
  /** The name in tables. */
  readonly name: string
  readonly seconds: number
  readonly pace: /** For each instance of the program. */
    | { readonly kind: 'in flight'; readonly count: number }
    /** Of all instances together, or of each. */
    | { readonly kind: 'rate'; readonly perSecond: number; readonly each?: true }
    /** As a share of the rate that the program sustained under the first load of the round. */
    | { readonly kind: 'share'; readonly of: number }
}

/** Bytes of the body of an event, unless sizes are compared. */
export const BODY_BYTES = 1024

/** Connections of the open loop at its start: enough that at usual latencies no event waits for one. */
export const OPEN_LOOP_CONNECTIONS = 64

export const saturation = (seconds: number, count: number): Load => ({
  name: 'saturation',
  seconds,
  pace: { kind: 'in flight', count },
})

export const rate = (seconds: number, perSecond: number): Load => ({
  name: `${perSecond.toLocaleString('en-US')}/s`,
  seconds,
  pace: { kind: 'rate', perSecond },
})

/** The rates that matter in operation, and at which backlogs show. */
export const fullLoads = (seconds: number, inFlight: number): readonly Load[] => [
  saturation(seconds, inFlight),
  { name: '90 % of saturation', seconds, pace: { kind: 'share', of: 0.9 } },
  rate(seconds, 2000),
  rate(seconds, 1000),
  { name: '500 in flight', seconds, pace: { kind: 'in flight', count: 500 } },
]
