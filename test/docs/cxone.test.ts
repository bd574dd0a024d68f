import { parse } from 'jsonc-parser'
import { expect, test } from 'vitest'
import { cxoneAck } from '../../src/plugins/post-commit/cxone-ack/index.js'
import { fillDefaults } from '../helpers/context.js'
import { blocksOf, pageText } from '../helpers/pages.js'

const PAGE = 'docs/cxone.md'
const shipped = parse(pageText('plugins.config.json')).pipelines['cxone-data-actions']
const snippets = blocksOf(PAGE).filter(({ language }) => language === 'jsonc')

test('the page begins each direction with what the shipped config says of it', () => {
  const shown = snippets.map(({ text }) => parse(text))
  expect(shown).toContainEqual(shipped.source)
  expect(shown).toContainEqual(shipped.postCommit[0])
})

test('the defaults that it names are those of the plugin', () => {
  const { method, path, oauth, statuses } = fillDefaults(cxoneAck, {
    baseUrl: 'https://api.example.com',
    clientId: 'id',
    clientSecret: 'secret',
  })
  expect(statuses.success).toContain(409)
  for (const text of [`${method} ${path}`, oauth.tokenUrl, ...oauth.scopes])
    expect(pageText(PAGE)).toContain(`\`${text}\``)
})
