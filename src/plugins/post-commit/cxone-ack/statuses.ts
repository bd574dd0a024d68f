import type { ConfigProblem } from '../../../contract/index.js'
import { child } from '../../../lib/json/pointer.js'
import type { Settings } from './settings.js'

export type StatusMeaning = 'success' | 'retry' | 'throttle' | 'give-up'

type Lists = Settings['statuses']

/** The meaning of each status, by status. A status takes precedence over a class that contains it. */
export function statusMeanings({ success, retry, giveUp, throttle }: Lists): readonly StatusMeaning[] {
  const meanings: StatusMeaning[] = new Array(1000).fill(giveUp === undefined ? 'give-up' : 'retry')
  const lists = [
    ['give-up', giveUp ?? []],
    ['success', success],
    ['retry', retry],
    ['throttle', throttle],
  ] as const
  for (const isWanted of [isClass, isStatus]) {
    for (const [meaning, list] of lists)
      for (const status of list.filter(isWanted).flatMap(expand)) meanings[status] = meaning
  }
  // Reached when a fresh token was refused too.
  meanings[401] = 'retry'
  return meanings
}

/** Entries that are in two lists, that no list may contain, or that throttle without being retried. */
export function* statusProblems(lists: Lists, at: string): Iterable<ConfigProblem> {
  const owner = new Map<number | string, string>([[401, 'none: it always means that the token is renewed']])
  for (const name of ['success', 'retry', 'giveUp'] as const) {
    for (const [index, entry] of (lists[name] ?? []).entries()) {
      if (owner.has(entry)) {
        yield {
          at: child(child(at, name), index),
          code: 'HG_CONFIG_CONFLICT',
          message: `${entry} cannot be in \`${name}\`: it belongs to ${owner.get(entry)}.`,
          expected: 'each status and each class in one list only',
        }
      } else owner.set(entry, `\`${name}\``)
    }
  }
  const retried = new Set(lists.retry.flatMap(expand))
  for (const [index, entry] of lists.throttle.entries()) {
    if (expand(entry).every((status) => retried.has(status))) continue
    yield {
      at: child(child(at, 'throttle'), index),
      code: 'HG_CONFIG_CONFLICT',
      message: `${entry} throttles, but is not in \`retry\`.`,
      expected: 'statuses that are in `retry`',
    }
  }
}

const isStatus = (entry: number | string): boolean => typeof entry === 'number'
const isClass = (entry: number | string): boolean => typeof entry === 'string'

function expand(entry: number | string): readonly number[] {
  if (typeof entry === 'number') return [entry]
  const first = Number.parseInt(entry, 10) * 100
  return Array.from({ length: 100 }, (_, index) => first + index)
}
