import './count.js'
import { expect, test } from 'vitest'
import { parseBody } from '../../src/lib/json/body.js'
import { pointer } from '../../src/lib/json/pointer.js'
import { compileRegex, type Regex } from '../../src/lib/regex.js'
import { atOnce } from '../../src/lib/slices.js'
import { compileCondition, matches, subjectOf } from '../../src/plugins/transform/route/condition.js'
import { Candidates } from '../../src/plugins/transform/route/route.js'
import { indexRules } from '../../src/plugins/transform/route/rule-index.js'
import { type Block, re2Suite } from './re2-suite.js'

/** RE2 in Go reads \C, a byte; so no text has one of its own. */
const isOurs = (pattern: string): boolean => !pattern.includes('\\C')

function compiled(pattern: string): Regex | undefined {
  try {
    return compileRegex(pattern)
  } catch {
    return undefined
  }
}

/** As the suite writes it; undefined for texts in which its bytes are not our characters. */
const written = (found: readonly number[] | undefined): string =>
  found === undefined
    ? '-'
    : found
        .flatMap((at, index) => (index % 2 === 0 ? [at < 0 ? '-' : `${at}-${found[index + 1]}`] : []))
        .join(' ')

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text)

function searched({ texts, patterns }: Block, wrong: string[]): number {
  let cases = 0
  for (const { pattern, found } of patterns.filter((each) => isOurs(each.pattern))) {
    const regex = compiled(pattern)
    for (const [index, text] of texts.entries()) {
      const expected = found[index] ?? '-'
      cases++
      const isFound = regex?.test(text)
      const places = isAscii(text) && regex !== undefined ? written(regex.find(text, 0)) : expected
      if (isFound !== (expected !== '-') || places !== expected)
        wrong.push(`${JSON.stringify([pattern, text])}: ${isFound}, ${places}, and should be ${expected}`)
    }
  }
  return cases
}

/** Patterns as the rules of one stage: those that match, by the index and one by one. */
function routed({ texts, patterns }: Block, at: string | undefined, wrong: string[]): number {
  let cases = 0
  const ours = patterns.filter(({ pattern }) => isOurs(pattern))
  for (let from = 0; from < ours.length; from += RULES) {
    const some = ours.slice(from, from + RULES)
    const whens = some.map(({ pattern }) => ({ regex: pattern, ...(at !== undefined && { at }) }))
    const conditions = whens.map(compileCondition)
    const steps = atOnce(indexRules(conditions))
    for (const [index, text] of texts.entries()) {
      const body = parseBody(Buffer.from(JSON.stringify({ s: text })), 64)
      const subject = subjectOf({ body }, pointer('/s'))
      const all = new Candidates(steps, subject)
      const found: number[] = []
      for (let next = all.next(); next !== undefined; next = all.next())
        if (matches(conditions[next] as (typeof conditions)[number], subject)) found.push(next)
      // Without a place, the rule sees the text as JSON, in its quotes: then they are asked one by one.
      const plain = some.flatMap((each, rule) =>
        (at === undefined ? compileRegex(each.pattern).test(JSON.stringify(text)) : each.found[index] !== '-')
          ? [rule]
          : [],
      )
      cases += some.length
      if (found.join() !== plain.join())
        wrong.push(
          `${JSON.stringify(text)}: rules ${found}, and should be ${plain} of ${JSON.stringify(whens)}`,
        )
    }
  }
  return cases
}

const RULES = 60

test('the suite of RE2 holds, for searches and for the rules of a stage', { timeout: 300_000 }, async ({
  task,
}) => {
  const { search, exhaustive } = await re2Suite()
  const wrong: string[] = []
  let cases = 0
  for (const block of [...search, ...exhaustive]) {
    cases += searched(block, wrong)
    cases += routed(block, '/s', wrong)
    if (search.includes(block)) cases += routed(block, undefined, wrong)
  }

  expect(wrong.slice(0, 20)).toEqual([])
  expect(cases).toBeGreaterThan(100_000)
  task.meta.publishedSuite = { name: 'RE2', cases, exceptions: 0 }
})
