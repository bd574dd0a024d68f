import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { quotedFiles } from '../../tools/docs/quoted-files.js'
import { PAGES, proseOf } from '../helpers/pages.js'

const readme = readFileSync('README.md', 'utf8')

test('the README quotes the shipped config, and nothing else', () => {
  expect(quotedFiles(readme)).toEqual(['plugins.config.json'])
})

test('the README leads to every page of docs/', () => {
  // docs/senders.md leads to those of the senders.
  const pages = PAGES.filter((page) => page !== 'README.md' && !page.startsWith('docs/senders/'))
  expect(pages.filter((page) => !readme.includes(`](${page})`))).toEqual([])
})

test('it can be read in five minutes: 250 words a minute, without the config and the picture', () => {
  expect(proseOf('README.md').match(/[\p{L}\d][^\s|]*/gu)?.length).toBeLessThan(1250)
})
