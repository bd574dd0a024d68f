import { expect, test } from 'vitest'
import { plugins } from '../../src/plugins/index.js'
import { readText } from '../helpers/pipelines/inline-pipeline.js'
import { topicsPipeline } from '../helpers/pipelines/topics-pipeline.js'

const problems = (source: object = {}, more: object = {}) => {
  const read = readText(topicsPipeline(source, more), plugins)
  return read.ok ? [] : read.problems.map(({ pointer, message }) => `${pointer} ${message}`)
}

test('a pipeline from topics to topics is valid', () => {
  expect(problems()).toEqual([])
  expect(problems({ topics: ['a', 'b'], id: 'header:event-id', start: '2026-01-31T00:00Z' })).toEqual([])
})

test('it needs dead letters, and no inbox', () => {
  expect(problems({}, { deadLetter: undefined })).toEqual([
    expect.stringMatching(/^\/pipelines\/orders\/source\/plugin .*needs a topic for dead letters/),
  ])
  expect(problems({}, { inbox: { topic: 'inbox' } })).toEqual([
    expect.stringMatching(/^\/pipelines\/orders\/source\/plugin .*in topics already/),
  ])
})

test('it does not write to a topic that it reads', () => {
  expect(problems({ topics: ['others', 'by-region'] })).toEqual([
    expect.stringMatching(/^\/pipelines\/orders\/source\/config\/topics\/1 .*again and again/),
  ])
})

test.each([
  { topics: [] },
  { topics: ['a b'] },
  { id: 'id' },
  { start: 'now' },
  { start: '2026-13-01T00:00Z' },
])('refuses the settings %o', (settings) => {
  expect(problems(settings)).toHaveLength(1)
})
