import { Type } from 'typebox'
import { expect, expectTypeOf, it } from 'vitest'
import {
  CONTRACT,
  definePlugin,
  pass,
  type SinkDefinition,
  type SourceDefinition,
  type TransformDefinition,
} from '../../src/contract/index.js'

const config = Type.Object({ topic: Type.String({ description: 'A topic.' }) })
const base = { name: 'any', summary: 'Does nothing.', config } as const
const create = undefined as never
const targets = () => []
const never = () => Promise.reject(new Error('nothing is sent here'))

it('marks a definition with the version of the contract', () => {
  const definition = definePlugin({ ...base, kind: 'transform', create: () => ({ apply: pass }) })
  expect(definition).toMatchObject({ contract: CONTRACT, kind: 'transform', name: 'any' })
})

it('gives each kind its own type, with the settings of its schema', () => {
  const transform = definePlugin({
    ...base,
    kind: 'transform',
    routes: true,
    targets: ({ topic }) => [{ at: '/topic', target: { topic } }],
    create: () => ({ apply: pass }),
  })
  expectTypeOf(transform).toEqualTypeOf<TransformDefinition<typeof config>>()
  expect(transform.targets?.({ topic: 'orders' })).toEqual([{ at: '/topic', target: { topic: 'orders' } }])
})

it('rejects a member of another kind at compile time', () => {
  // @ts-expect-error single belongs to sources
  const sink: SinkDefinition<typeof config> = { ...base, kind: 'sink', single: true, create }
  // @ts-expect-error targets belongs to transforms
  const source: SourceDefinition<typeof config> = { ...base, kind: 'source', targets, create }
  // @ts-expect-error single belongs to sources
  const defined = definePlugin({ ...base, kind: 'sink', single: true, create })
  // @ts-expect-error a transform does not create a sink
  const swapped = definePlugin({ ...base, kind: 'transform', create: () => ({ send: never }) })
  expect([sink, source, defined, swapped].map(({ kind }) => kind)).toEqual([
    'sink',
    'source',
    'sink',
    'transform',
  ])
})
