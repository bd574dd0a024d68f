import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseExact, show } from '../../src/lib/json/exact-numbers.js'
import { atOnce } from '../../src/lib/slices.js'
import { link, type Validate, validator } from '../../src/plugins/transform/json-schema/compile.js'
import { type Document, type JsonSchema, parse } from '../../src/plugins/transform/json-schema/documents.js'
import { Evaluation } from '../../src/plugins/transform/json-schema/evaluate.js'
import { Work } from '../../src/plugins/transform/json-schema/work.js'
import { countSuite } from './count.js'
import { type Group, jsonSchemaSuite, textsIn } from './json-schema-suite.js'

const REMOTES = 'http://localhost:1234/'

/** Decided otherwise on purpose, by file and group. The reasons stand in docs/json-schema.md too. */
const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  [
    '2020-12/vocabulary.json: schema that uses custom metaschema with with no validation vocabulary',
    'A "$schema" other than the two drafts is refused at load.',
  ],
  [
    '2020-12/vocabulary.json: ignore unrecognized optional vocabulary',
    'A "$schema" other than the two drafts is refused at load.',
  ],
  [
    '07/optional/cross-draft.json: refs to future drafts are processed as future drafts',
    'It refers to draft 2019-09.',
  ],
  [
    '2020-12/optional/cross-draft.json: refs to historic drafts are processed as historic drafts',
    'It refers to draft 2019-09.',
  ],
  [
    '2020-12/optional/format-assertion.json: schema that uses custom metaschema with format-assertion: false',
    'A "$schema" other than the two drafts is refused at load; the setting "formats" decides.',
  ],
  [
    '2020-12/optional/format-assertion.json: schema that uses custom metaschema with format-assertion: true',
    'A "$schema" other than the two drafts is refused at load; the setting "formats" decides.',
  ],
  [
    '07/optional/content.json: validation of string-encoded content based on media type',
    '"contentMediaType" and "contentEncoding" are not checked, as in 2020-12.',
  ],
  [
    '07/optional/content.json: validation of binary string-encoding',
    '"contentMediaType" and "contentEncoding" are not checked, as in 2020-12.',
  ],
  [
    '07/optional/content.json: validation of binary-encoded media type documents',
    '"contentMediaType" and "contentEncoding" are not checked, as in 2020-12.',
  ],
])

const DRAFTS = [
  { draft: '07', folder: 'draft7', $schema: 'http://json-schema.org/draft-07/schema#' },
  { draft: '2020-12', folder: 'draft2020-12', $schema: 'https://json-schema.org/draft/2020-12/schema' },
]

const suite = await jsonSchemaSuite().catch((error: Error) => error)

/** With all digits of its numbers. */
const read = (text: string): unknown => parseExact(Buffer.from(text)) ?? JSON.parse(text)

function documentOf(path: string, schema: JsonSchema | boolean, found: string): Document {
  const id = typeof schema === 'object' && typeof schema['$id'] === 'string' ? schema['$id'] : ''
  return { path, uri: new URL(id, found).href.replace(/#.*/, ''), schema }
}

interface Validators {
  /** As an event is checked. */
  readonly usual: Validate
  /** As an event is checked which has a number that no double holds. */
  readonly exact: (value: unknown) => boolean
}

function compile(
  schema: unknown,
  $schema: string,
  remotes: ReadonlyMap<string, string>,
  assert: boolean,
): Validators {
  const parsed = parse('main.json', show(schema))
  const main = typeof parsed === 'object' && !('$schema' in parsed) ? { ...parsed, $schema } : parsed
  const linked = atOnce(
    link(
      documentOf('main.json', main, 'file:///suite/main.json'),
      (uri) => {
        const text = uri.startsWith(REMOTES) ? remotes.get(uri.slice(REMOTES.length)) : undefined
        return text === undefined ? undefined : documentOf(uri, parse(uri, text), uri)
      },
      assert,
    ),
  )
  const work = new Work()
  const evaluation = new Evaluation(work, (resource, anchor) => linked.linker.anchored(resource, anchor))
  return {
    usual: atOnce(validator(linked)),
    exact: (value) => {
      work.begin(0)
      return evaluation.fits(linked.root, value)
    },
  }
}

if (suite instanceof Error) {
  const isRequired = process.env['HEADGATE_TEST_SUITES'] === 'required'
  it.runIf(isRequired)('JSON-Schema-Test-Suite can be had', () => {
    throw suite
  })
  it.skipIf(!isRequired)(`JSON-Schema-Test-Suite: skipped, because ${suite.message}`, () => {})
} else {
  const remotes = textsIn(join(suite, 'remotes'))
  describe.each(DRAFTS)('JSON-Schema-Test-Suite, draft $draft', ({ draft, folder, $schema }) => {
    const files = [...textsIn(join(suite, 'tests', folder))].map(([name, text]) => ({
      name,
      groups: read(text) as readonly Group[],
    }))
    const cases = files.flatMap(({ groups }) => groups.flatMap(({ tests }) => tests))
    const isException = (name: string, { description }: Group) =>
      EXCEPTIONS.has(`${draft}/${name}: ${description}`)
    const exceptions = files.flatMap(({ name, groups }) =>
      groups.filter((group) => isException(name, group)).flatMap(({ tests }) => tests),
    )
    countSuite(`JSON-Schema-Test-Suite ${draft}`, cases.length, exceptions.length)

    it.each(files)('decides $name as it is written there', ({ name, groups }) => {
      const wrong: string[] = []
      for (const group of groups) {
        if (isException(name, group)) continue
        const validators = compile(group.schema, $schema, remotes, name.startsWith('optional/format'))
        for (const { description, data, valid } of group.tests) {
          const text = show(data)
          const usual = validators.usual({ bytes: Buffer.from(text), value: JSON.parse(text) }).length === 0
          if (usual !== valid || validators.exact(read(text)) !== valid)
            wrong.push(`${group.description}: ${description}`)
        }
      }

      expect(wrong).toEqual([])
    })
  })
}
