import { printable } from '../lib/terminal/printable.js'
import type { Style } from '../lib/terminal/style.js'
import type { TapEvent } from '../tap/lines.js'

const LOOK = {
  delivered: 'green',
  duplicate: 'dim',
  dropped: 'dim',
  'dead-lettered': 'yellow',
  rejected: 'red',
  unavailable: 'red',
} as const
const WIDEST = 'dead-lettered'.length

/** An event for people: a line, and one with its body where that was asked for. */
export function shownEvent(event: TapEvent, withPipeline: boolean, style: Style): string {
  const { time, pipeline, id, outcome, ms, code, message } = event
  const place = placeOf(event)
  const parts = [
    time,
    ...(withPipeline ? [pipeline] : []),
    style(LOOK[outcome], outcome.padEnd(WIDEST)),
    id === undefined ? '(no id)' : printable(id),
    ...(place === '' ? [] : [printable(place)]),
    `${ms} ms`,
    ...(code === undefined ? [] : [`${style('bold', code)}: ${printable(message ?? '')}`]),
  ]
  return `${[parts.join('  '), ...bodyOf(event)].join('\n')}\n`
}

/** As `high-priority -> topic/0@12`. */
function placeOf({ route, topic, partition, offset }: TapEvent): string {
  const place = topic === undefined ? [] : [`${topic}/${partition}@${offset}`]
  return [...(route === undefined ? [] : [route]), ...place].join(' -> ')
}

function bodyOf({ payload, cut, bytes = 0 }: TapEvent): string[] {
  if (payload === undefined) return []
  return [
    `    ${printable(payload)}${cut === true ? `... (${bytes.toLocaleString('en-US')} bytes in all)` : ''}`,
  ]
}
