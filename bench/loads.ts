/** How a program is driven. */
export interface Load {
  /** As tables call it. */
  readonly name: string
  readonly seconds: number
  readonly pace:
    | { readonly kind: 'in flight'; readonly count: number }
    | { readonly kind: 'rate'; readonly perSecond: number }
    /** Of what the program sustained under the first load of the round. */
    | { readonly kind: 'share'; readonly of: number }
}

/** Connections of the open loop at its start: so many that at usual latencies nothing waits for one. */
export const OPEN_LOOP_CONNECTIONS = 64

export const saturation = (seconds: number, count: number): Load => ({
  name: 'saturation',
  seconds,
  pace: { kind: 'in flight', count },
})

/** The rates that matter to those who run it, and where backlogs show. */
export const fullLoads = (seconds: number, inFlight: number): readonly Load[] => [
  saturation(seconds, inFlight),
  { name: '90 % of saturation', seconds, pace: { kind: 'share', of: 0.9 } },
  { name: '2,000/s', seconds, pace: { kind: 'rate', perSecond: 2000 } },
  { name: '1,000/s', seconds, pace: { kind: 'rate', perSecond: 1000 } },
  { name: '500 in flight', seconds, pace: { kind: 'in flight', count: 500 } },
]
