import { expect, test } from 'vitest'
import { parseBody } from '../../../../src/lib/json/body.js'
import { compileJsonata } from '../../../../src/plugins/transform/route/jsonata.js'

const body = parseBody(
  Buffer.from('{"payload":{"region":"us","b c":1,"and":2},"items":[{"n":1},{"n":2}],"x":7}'),
  64,
)

test.each<[string, object]>([
  ["payload.region = 'eu'", { 'payload.region': 'us' }],
  ['payload.`b c` > 0 and payload.`and` = 2', { 'payload.`b c`': 1, 'payload.`and`': 2 }],
  ['$sum(items.n) > x', { 'items.n': [1, 2], x: 7 }],
  ['items[n = 1].n = 1', { items: [{ n: 1 }, { n: 2 }] }],
  ['$exists(none) ? none.at.all : true', { none: undefined, 'none.at.all': undefined }],
  ['$count($filter(items, function($i) { $i.n > hidden })) = 1', { items: [{ n: 1 }, { n: 2 }] }],
  ['true', {}],
])('%s looks at these places', async (text, places) => {
  const looked = await compileJsonata(text).look(body)
  const found = Object.fromEntries(looked.map(({ at, value }) => [at, value]))
  // JSONata's arrays have members of its own.
  expect(JSON.stringify(found)).toBe(JSON.stringify(places))
})
