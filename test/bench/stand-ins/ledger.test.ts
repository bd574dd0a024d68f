import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DurableLedger } from '../../../bench/stand-ins/ledger.js'
import { resolve } from '../../../bench/stand-ins/resolve.js'
import type { Outcome } from '../../../src/contract/index.js'
import { recordMac } from '../../../src/pipeline/record-mac.js'
import { testContext } from '../../helpers/context.js'
import { eventOf } from '../../helpers/pipelines/inline-plugins.js'

const delivered = (id: string): Outcome => ({
  kind: 'delivered',
  id,
  receipt: { topic: 'events', partition: 0, offset: 1 },
})

const ledgerOf = (stages: number) =>
  new DurableLedger({
    log: undefined,
    mac: recordMac('test'),
    by: 'id+bytes',
    window: 1,
    entries: 1,
    maxPending: 1,
    stages,
    pipeline: 'bench',
    openStore: () => {
      throw new Error('it keeps no state')
    },
    logger: testContext().log,
    signal: new AbortController().signal,
  })

test('the module that it stands in for is where a pipeline takes its ledger from', () => {
  const build = readFileSync('src/pipeline/build.ts', 'utf8')
  expect(build).toContain("import { DurableLedger } from '../ledger/durable-ledger.js'")
  expect(existsSync('src/ledger/durable-ledger.ts')).toBe(true)
})

test('that module, and no other, is loaded from elsewhere', async () => {
  const loaded = async (url: string) => {
    const next = async () => ({ url })
    const context = { conditions: [], importAttributes: {}, importAssertions: {}, parentURL: undefined }
    return (await resolve('', context, next)).url
  }
  const place = 'file:///app/build/src/ledger'
  expect(await loaded(`${place}/durable-ledger.js`)).toMatch(/\/bench\/stand-ins\/ledger\.js$/)
  expect(await loaded(`${place}/ledger.js`)).toBe(`${place}/ledger.js`)
})

test('what is delivered passes every post-commit stage, oldest first, and is forgotten', async () => {
  const ledger = ledgerOf(2)
  for (const id of ['a', 'b']) await ledger.once(eventOf(id), async () => delivered(id))
  expect(ledger.backlog().count).toBe(2)
  for (const stage of [0, 1]) {
    for (const id of ['a', 'b']) {
      const pending = ledger.take(stage, Date.now())
      expect(pending?.committed.id).toBe(id)
      if (pending !== undefined) ledger.acknowledged(pending)
    }
    expect(ledger.take(stage, Date.now())).toBeUndefined()
  }
  expect(ledger.backlog().count).toBe(0)
})

test('what is to be tried later is not taken before', async () => {
  const ledger = ledgerOf(1)
  await ledger.once(eventOf('a'), async () => delivered('a'))
  const pending = ledger.take(0, Date.now())
  if (pending !== undefined) ledger.retry(pending, Date.now() + 60_000)
  expect(ledger.take(0, Date.now())).toBeUndefined()
  expect(ledger.take(0, Date.now() + 60_000)).toMatchObject({ attempts: 1 })
})
