import { expect, test } from 'vitest'
import { findingsOf, problemReport } from '../../src/commands/problems.js'
import type { ReadResult } from '../../src/config/read.js'

const location = (line: number) => ({ file: 'plugins.config.json', line, column: 3 })
const warning = (line: number, name: string) => ({
  name,
  location: location(line),
  pointer: `/${line}`,
  message: `Topic ${line} has one copy.`,
  suggestion: 'Give it three.',
})
const error = (line: number) => ({
  code: 'HG_KAFKA_TOPIC_MISSING' as const,
  location: location(line),
  pointer: `/${line}`,
  message: `Topic ${line} does not exist.`,
})
const read = { ok: false, problems: [], lines: [] } as unknown as ReadResult
const outside = {
  warnings: [
    warning(1, 'one-copy'),
    warning(2, 'one-copy'),
    warning(3, 'topic-compacted'),
    warning(4, 'one-copy'),
  ],
  problems: [error(9), error(8)],
}

test('errors come first, each in full; warnings of one name are one, with a line for each further place', () => {
  const io = { terminal: { in: false, out: false, err: false }, env: {} }
  expect(problemReport(read, io, outside)).toBe(
    `plugins.config.json:8:3  /8
  HG_KAFKA_TOPIC_MISSING: Topic 8 does not exist.
  "headgate help HG_KAFKA_TOPIC_MISSING" explains it

plugins.config.json:9:3  /9
  HG_KAFKA_TOPIC_MISSING: Topic 9 does not exist.
  "headgate help HG_KAFKA_TOPIC_MISSING" explains it

plugins.config.json:1:3  /1
  warning one-copy: Topic 1 has one copy.
  Give it three.
  "headgate help one-copy" explains it
  also:
    plugins.config.json:2:3  Topic 2 has one copy.
    plugins.config.json:4:3  Topic 4 has one copy.

plugins.config.json:3:3  /3
  warning topic-compacted: Topic 3 has one copy.
  Give it three.
  "headgate help topic-compacted" explains it

2 errors, 4 warnings.
`,
  )
})

test('for programs nothing is folded, and errors come first too', () => {
  expect(findingsOf(read, outside).map(({ code, location: { line } }) => `${code} ${line}`)).toEqual([
    'HG_KAFKA_TOPIC_MISSING 8',
    'HG_KAFKA_TOPIC_MISSING 9',
    'one-copy 1',
    'one-copy 2',
    'topic-compacted 3',
    'one-copy 4',
  ])
})
