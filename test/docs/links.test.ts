import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { PAGES, pageText, proseOf } from '../helpers/pages.js'

/** As GitHub makes them of headings, or as pages write them. */
const anchorsOf = (page: string): string[] => [
  ...[...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  ),
  ...[...pageText(page).matchAll(/<a id="([^"]+)"><\/a>/g)].map(([, id = '']) => id),
]

const leads = (path: string, anchor: string | undefined): boolean =>
  existsSync(path) && (anchor === undefined || anchorsOf(path).includes(anchor))

test.each(PAGES)('%s: its links lead to files, and to headings that are there', (page) => {
  const links = [...proseOf(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
  const broken = links.filter(
    ([, path = '', anchor]) => !leads(path === '' ? page : join(dirname(page), path), anchor),
  )
  expect(broken.map(([link]) => link)).toEqual([])
})
