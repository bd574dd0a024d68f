import { readFileSync } from 'node:fs'
import { EditorState } from '@codemirror/state'
import { expect, test } from 'vitest'
import { completionsOf, explanationAt } from '../../console/src/config/assistance.js'
import type { Schema } from '../../console/src/config/schema-at.js'

const SCHEMA: Schema = JSON.parse(readFileSync('schemas/plugins.config.schema.json', 'utf8'))

/** The completions at `|` of a pipeline. */
function completions(pipeline: string, explicit = true) {
  const text = `{ "pipelines": { "orders": ${pipeline} } } // a comment`
  const pos = text.indexOf('|')
  const state = EditorState.create({ doc: text.replace('|', '') })
  const found = completionsOf(SCHEMA, { state, pos, explicit })
  return {
    labels: found?.options.map(({ label }) => label) ?? [],
    options: found?.options ?? [],
    replaced: found === null ? undefined : text.replace('|', '').slice(found.from, found.to),
  }
}

test('names of settings that are not there yet are offered, with what their value begins with', () => {
  const { labels, options, replaced } = completions('{ "source": {}, "max|" }')
  expect(replaced).toBe('"max"')
  expect(labels).toEqual(expect.arrayContaining(['"maxPending"', '"transforms"', '"sink"']))
  expect(labels).not.toContain('"source"')
  expect(options.find(({ label }) => label === '"transforms"')?.apply).toBe('"transforms": []')
  expect(options.find(({ label }) => label === '"maxPending"')?.apply).toMatch(/^"maxPending": \d+$/)
})

test('a name before its colon is replaced alone', () => {
  const { options } = completions('{ "maxP|": 5 }')
  expect(options.find(({ label }) => label === '"maxPending"')?.apply).toBe('"maxPending"')
})

test('the settings of the plugin that a stage names are offered', () => {
  const { labels } = completions('{ "transforms": [{ "plugin": "route", "config": { | } }] }')
  expect(labels).toEqual(expect.arrayContaining(['"rules"', '"otherwise"']))
})

test('values are offered as JSON', () => {
  const { labels, replaced } = completions('{ "transforms": [{ "plugin": "ro|" }] }')
  expect(replaced).toBe('"ro"')
  expect(labels).toEqual(expect.arrayContaining(['"route"', '"json-schema"']))
})

test('nothing is offered between values unless somebody asks', () => {
  expect(completions('{ | }', false).labels).toEqual([])
  expect(completions('{ | }').labels).not.toEqual([])
})

test('a setting is explained with its type, its default and what it does', () => {
  const text = '{ "pipelines": { "orders": { "maxPending": 5, "nothing": 1 } } }'
  const explained = explanationAt(SCHEMA, text, text.indexOf('maxPending'))
  expect(explained).toMatchObject({ name: 'maxPending', type: 'integer' })
  expect(explained?.preset).toMatch(/^\d+$/)
  expect(explained?.description).toMatch(/[a-z] /)
  expect(text.slice(explained?.from, explained?.to)).toBe('"maxPending"')
  expect(explanationAt(SCHEMA, text, text.indexOf('nothing'))).toBeUndefined()
})
