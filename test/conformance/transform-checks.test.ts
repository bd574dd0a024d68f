import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { testPlugin } from '../../src/conformance/test-plugin.js'
import { definePlugin, drop, type Event, pass, type Verdict } from '../../src/contract/index.js'
import { temporaryDirectory } from '../helpers/context.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'

/** The check for purity, of a transform that does this. */
function purityOf(apply: (event: Event) => Verdict) {
  const definition = definePlugin({
    kind: 'transform',
    name: 'tested',
    summary: 'Is tested.',
    config: Type.Object({}, { additionalProperties: false }),
    create: () => ({ apply }),
  })
  const checks = testPlugin(definition, {
    config: {},
    folder: temporaryDirectory(),
    secrets: [],
    events: [eventOf('a', { payload: { n: 1 } }), eventOf('b')],
  })
  const check = checks.find(({ name }) => name.startsWith('is pure'))
  if (check === undefined) throw new Error('there is no such check')
  return check.run()
}

test('a transform that looks at the event alone is pure', async () => {
  await expect(purityOf(pass)).resolves.toBeUndefined()
})

test('a transform that goes by what came before is not', async () => {
  const seen = new Set<string>()
  const deduplicate = (event: Event) => {
    if (seen.has(event.id)) return drop()
    seen.add(event.id)
    return pass(event)
  }
  await expect(purityOf(deduplicate)).rejects.toThrow('on {"payload"')
})

test.each([
  ['the value', ({ body }: Event) => Object.assign((body.value as { payload: object }).payload, { n: 2 })],
  ['the bytes', ({ body }: Event) => body.bytes.write(' ', 0)],
  ['the event', (event: Event) => Object.assign(event, { id: 'other' })],
])('a transform that changes %s in place is not', async (_, change) => {
  const changing = (event: Event) => {
    change(event)
    return pass(event)
  }
  await expect(purityOf(changing)).rejects.toThrow()
})
