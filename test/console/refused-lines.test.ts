import { expect, test } from 'vitest'
import {
  ANY,
  codeOf,
  fits,
  newestOfEach,
  pipelineOf,
  valuesOf,
} from '../../console/src/events/refused-lines.js'
import type { RefusedLine } from '../../src/tap/line.js'

const lineOf = (number: number, more: Partial<RefusedLine> = {}): RefusedLine => ({
  number,
  time: '2026-01-01T00:00:00.000Z',
  pipeline: 'orders',
  method: 'POST',
  path: '/in',
  status: 401,
  code: 'HG_INTAKE_UNAUTHENTICATED',
  message: 'The token is wrong.',
  headers: { 'user-agent': 'Sender/1' },
  ...more,
})

const { pipeline: _, code: __, ...stray } = lineOf(9, { path: '/nowhere', status: 404 })

test('a flood of one pipeline pushes out no request of another', () => {
  const flood = Array.from({ length: 80 }, (_, index) => lineOf(index))
  const kept = newestOfEach([...flood, stray, lineOf(200, { pipeline: 'returns' })])
  expect(kept.map(pipelineOf).filter((name) => name !== 'orders')).toEqual(['none', 'returns'])
  expect(kept.slice(0, -2).map(({ number }) => number)).toEqual(Array.from({ length: 50 }, (_, at) => at))
})

test('requests are filtered by pipeline, by code and by text in any part', () => {
  const lines = [lineOf(1), stray, lineOf(2, { pipeline: 'returns', code: 'HG_INTAKE_NOT_JSON' })]
  const shown = (filter: object) =>
    lines.filter((line) => fits({ ...ANY, ...filter }, line)).map(({ number }) => number)
  expect(valuesOf(lines, pipelineOf)).toEqual(['none', 'orders', 'returns'])
  expect(valuesOf(lines, codeOf)).toEqual(['HG_INTAKE_NOT_JSON', 'HG_INTAKE_UNAUTHENTICATED', 'status 404'])
  expect(shown({})).toEqual([1, 9, 2])
  expect(shown({ pipeline: 'none' })).toEqual([9])
  expect(shown({ code: 'status 404' })).toEqual([9])
  expect(shown({ pipeline: 'orders', code: 'HG_INTAKE_NOT_JSON' })).toEqual([])
  expect(shown({ text: ' NOWHERE ' })).toEqual([9])
  expect(shown({ text: 'sender/1' })).toEqual([1, 9, 2])
})
