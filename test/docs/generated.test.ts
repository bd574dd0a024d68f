import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { parse } from 'jsonc-parser'
import { expect, test } from 'vitest'
import { errorReference } from '../../src/docs/error-reference.js'
import { ERRORS } from '../../src/errors.js'
import { editorSchema } from '../../src/pipeline/config/editor-schema.js'
import { plugins } from '../../src/plugins/index.js'

const read = (path: string) => readFileSync(path, 'utf8')

/** As editors do: keywords they do not know are skipped. */
const validator = () => new Ajv({ strict: false, logger: false }).compile(editorSchema(plugins))

test('the error reference is what the table of codes says; `npm run generate` renews it', () => {
  expect(read('docs/errors.md')).toBe(errorReference())
})

test('every code that is thrown or reported stands in the table, with a meaning and an action', () => {
  for (const [code, { meaning, action }] of Object.entries(ERRORS)) {
    expect(code).toMatch(/^HG_[A-Z]+(_[A-Z0-9]+)+$/)
    expect(meaning).toMatch(/^.+\.$/)
    expect(action).toMatch(/^.+\.$/)
  }
})

test('the editor schema is what the plugins declare; `npm run generate` renews it', () => {
  expect(JSON.parse(read('schemas/plugins.config.schema.json'))).toEqual(
    JSON.parse(JSON.stringify(editorSchema(plugins))),
  )
})

test('the shipped config fits the editor schema, and a broken one does not', () => {
  const validate = validator()
  const shipped = () => parse(read('plugins.config.json'))
  validate(shipped())
  expect(validate.errors).toBeNull()
  const misspelt = shipped()
  misspelt.pipelines['cxone-data-actions'].sink.config.brokes = 'x'
  expect(validate(misspelt)).toBe(false)
  const unknown = shipped()
  unknown.pipelines['cxone-data-actions'].source.plugin = 'nope'
  expect(validate(unknown)).toBe(false)
})
