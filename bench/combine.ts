import type { Driven } from './measure.js'
import { spread } from './statistics.js'
import { inAll } from './watch.js'

/** What a program did in its turns under one load, as if it had been one. */
export function combine(turns: readonly Driven[]): Driven {
  const sum = (of: (turn: Driven) => number) => turns.reduce((total, turn) => total + of(turn), 0)
  const events = sum((turn) => turn.events)
  const perEvent = (of: (turn: Driven) => number) => sum((turn) => of(turn) * turn.events) / events
  const middle = (of: (turn: Driven) => number) => spread(turns.map(of)).median
  const greatest = (of: (turn: Driven) => number) => Math.max(...turns.map(of))
  const refused: { [status: string]: number } = {}
  for (const turn of turns)
    for (const [status, count] of Object.entries(turn.refused))
      refused[status] = (refused[status] ?? 0) + count
  return {
    events,
    eventsPerSecond: events / sum((turn) => turn.events / turn.eventsPerSecond),
    cpuPerEvent: perEvent((turn) => turn.cpuPerEvent),
    primaryCpuPerEvent: perEvent((turn) => turn.primaryCpuPerEvent),
    busiestCpuPerEvent: perEvent((turn) => turn.busiestCpuPerEvent),
    p50: middle((turn) => turn.p50),
    p99: middle((turn) => turn.p99),
    p999: middle((turn) => turn.p999),
    peakRss: greatest((turn) => turn.peakRss),
    peakOwn: greatest((turn) => turn.peakOwn),
    backlog: inAll(turns.map(({ backlog }) => backlog)),
    generatorLoad: perEvent((turn) => turn.generatorLoad),
    lateP99: greatest((turn) => turn.lateP99),
    queued: perEvent((turn) => turn.queued),
    refused,
  }
}
