import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { LoggedRecord } from '../../src/contract/index.js'
import { deadLetterOf } from '../../src/dead-letters/letter.js'
import { noteOf } from '../../src/dead-letters/notes.js'
import { CONNECT, HEADER } from '../../src/ledger/record-headers.js'
import { runs } from './runs.js'

const NAMES = [
  ...Object.values(HEADER),
  `${CONNECT}exception.class.name`,
  `${CONNECT}exception.message`,
  `${CONNECT}class.name`,
]
const NOTES = [
  '{"run":"r","by":"somebody"}',
  '{"run":"r","offsets":[1,2],"from":[{"topic":"t","partition":0,"offset":3}]}',
  '{"run":"r","delivered":[{"offset":1,"receipt":{"topic":"t","partition":0,"offset":3}}],"released":[2]}',
  '{"run":"r","reason":"no use","offsets":[1]}',
]
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    'orders',
    'begun',
    'claimed',
    'settled',
    'discarded',
    'null',
    '[]',
    '[null,1,{"pointer":1}]',
  ),
  fc.json(),
)
const value = fc.oneof(
  fc.json(),
  fc.string({ unit: 'binary' }),
  fc
    .tuple(fc.constantFrom(...NOTES), fc.nat(), fc.string({ maxLength: 2 }))
    .map(([note, at, other]) => note.slice(0, at % note.length) + other + note.slice((at % note.length) + 1)),
)

const recordOf = (headers: { readonly [name: string]: string }, bytes: string): LoggedRecord => ({
  topic: 't',
  partition: 0,
  offset: 0,
  timestamp: 0,
  key: null,
  value: Buffer.from(bytes),
  header: (name) => headers[name],
  headers: () => Object.entries(headers).map(([name, value]) => ({ name, value })),
})

it('whatever somebody writes into the topic of the dead letters, it is a letter, a note, or neither', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...NAMES), text), value, (headers, bytes) => {
      const record = recordOf(headers, bytes)
      for (const { pointer, message } of deadLetterOf(record)?.violations ?? [])
        expect([typeof pointer, typeof message]).toEqual(['string', 'string'])
      const note = noteOf(record, 'orders')
      if (note === undefined) return
      expect(['begun', 'claimed', 'settled', 'discarded']).toContain(note.kind)
      if (note.kind === 'claimed' || note.kind === 'discarded')
        expect(note.offsets.every((offset) => Number.isInteger(offset) && offset >= 0)).toBe(true)
    }),
    runs(1000),
  )
})

it('a note as it was written is that note again', () => {
  for (const [index, kind] of ['begun', 'claimed', 'settled', 'discarded'].entries()) {
    const record = recordOf({ [HEADER.replay]: kind, [HEADER.pipeline]: 'orders' }, NOTES[index] as string)
    expect(noteOf(record, 'orders')).toEqual({ kind, ...JSON.parse(NOTES[index] as string) })
  }
})
