import { child } from '../../../json/pointer.js'
import type { ConfigProblem } from '../../../plugin.js'
import type { Settings } from './settings.js'

export type StatusMeaning = 'success' | 'retry' | 'throttle' | 'give-up'

type Lists = Settings['statuses']

/** What each status means, as a table with the status as index. */
export function statusMeanings({ success, retry, giveUp, throttle }: Lists): readonly StatusMeaning[] {
  const meanings: StatusMeaning[] = new Array(1000).fill(giveUp === undefined ? 'give-up' : 'retry')
  const mean = (meaning: StatusMeaning, list: Lists['retry']) => {
    for (const status of list.flatMap(expand)) meanings[status] = meaning
  }
  mean('give-up', giveUp ?? [])
  mean('success', success)
  mean('retry', retry)
  mean('throttle', throttle)
  // Reached when a fresh token was refused too.
  meanings[401] = 'retry'
  return meanings
}

/** Statuses that stand in two lists, that are no list's to say, or that throttle without being retried. */
export function* statusProblems(lists: Lists, at: string): Iterable<ConfigProblem> {
  const owner = new Map<number, string>([[401, 'none: it always means that the token is renewed']])
  for (const name of ['success', 'retry', 'giveUp'] as const) {
    for (const [index, entry] of (lists[name] ?? []).entries()) {
      const statuses = expand(entry)
      // A class may hold 401: the token is renewed before the lists are looked at.
      const taken = statuses.find((status) => owner.has(status) && !(status === 401 && statuses.length > 1))
      if (taken !== undefined) {
        yield {
          at: child(child(at, name), index),
          code: 'HG_CONFIG_CONFLICT',
          message: `${entry} cannot be in \`${name}\`: ${taken} belongs to ${owner.get(taken)}.`,
          expected: 'each status in one list only',
        }
      }
      for (const status of statuses) if (!owner.has(status)) owner.set(status, `\`${name}\``)
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

function expand(entry: number | string): readonly number[] {
  if (typeof entry === 'number') return [entry]
  const first = Number.parseInt(entry, 10) * 100
  return Array.from({ length: 100 }, (_, index) => first + index)
}
