import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ownConfig } from '../../../bench/programs/own-config.js'

interface Pipeline {
  readonly source: { readonly config: object }
  readonly sink: { readonly config: object }
  readonly transforms: readonly { readonly config: { readonly schema?: string; readonly payload?: string } }[]
  readonly inbox?: object
}

function own(changes?: Parameters<typeof ownConfig>[1]) {
  const { config, remove } = ownConfig('bench/plugins.config.json', changes)
  onTestFinished(remove)
  const { pipelines } = JSON.parse(readFileSync(config, 'utf8'))
  const [name, pipeline] = Object.entries(pipelines)[0] as [string, Pipeline]
  return { name, pipeline }
}

test('each program has a pipeline of its own name, and finds the schema from its own folder', () => {
  const [one, other] = [own(), own()]
  expect(one.name).not.toBe(other.name)
  const schema = one.pipeline.transforms[0]?.config.schema ?? ''
  expect(isAbsolute(schema)).toBe(true)
  expect(readFileSync(schema, 'utf8')).toContain('dataActionId')
  expect(one.pipeline.inbox).toBeUndefined()
})

test('a change is in its place', () => {
  const verify = { scheme: 'none' }
  const { pipeline } = own({
    source: { verify },
    schema: 'bench/form.schema.json',
    payload: '/data',
    inbox: 'orders.inbox',
  })
  expect(pipeline.source.config).toMatchObject({ verify, eventId: '/dataActionId' })
  expect(pipeline.transforms[0]?.config.schema).toBe(resolve('bench/form.schema.json'))
  expect(pipeline.transforms[1]?.config.payload).toBe('/data')
  expect(pipeline.sink.config).toMatchObject({ value: '/data', key: '/dataActionId' })
  expect(pipeline.inbox).toEqual({ topic: 'orders.inbox' })
})
