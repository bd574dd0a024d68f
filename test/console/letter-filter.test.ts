import { expect, test } from 'vitest'
import { ANY, addressOf, filterOf, problemOf, selectionOf } from '../../console/src/letters/letter-filter.js'

const NOW = Date.UTC(2026, 0, 31, 12)

test('a filter is in the address, and is read from it again', () => {
  expect(addressOf('a/b', ANY)).toBe('#/dead-letters/a%2Fb')
  const filter = {
    ...ANY,
    status: 'settled',
    code: 'HG_X',
    rule: 'a&b = c',
    text: 'ö/?',
    time: '24h',
  } as const
  const address = addressOf('orders', filter)
  expect(address).toMatch(/^#\/dead-letters\/orders\?status=settled&code=HG_X&/)
  expect(filterOf(new URLSearchParams(address.split('?')[1]))).toEqual(filter)
})

test('parts of an address that are no filter are left out', () => {
  expect(filterOf(new URLSearchParams('code=HG_X&__proto__=1&colour=red'))).toEqual({ ...ANY, code: 'HG_X' })
})

test('the last hours end at the time at which the dead letters were read', () => {
  expect(selectionOf(ANY, NOW)).toEqual({})
  expect(selectionOf({ ...ANY, time: '1h' }, NOW)).toEqual({ since: '2026-01-31T11:00:00.000Z' })
  expect(selectionOf({ ...ANY, time: '7d', from: '2026-01-01T00:00' }, NOW)).toEqual({
    since: '2026-01-24T12:00:00.000Z',
  })
})

test('times of one’s own are those of the browser, and the last minute is meant as a whole', () => {
  const own = { ...ANY, time: 'own', from: '2026-01-31T08:00', to: '2026-01-31T09:30' }
  expect(selectionOf(own, NOW)).toEqual({
    since: new Date(2026, 0, 31, 8).toISOString(),
    until: new Date(2026, 0, 31, 9, 30, 59, 999).toISOString(),
  })
  expect(selectionOf({ ...own, from: '', to: '' }, NOW)).toEqual({})
})

test('times that hold nothing are a problem', () => {
  const own = { ...ANY, time: 'own', from: '2026-01-31T08:00', to: '2026-01-31T07:00' }
  expect(problemOf(own)).toContain('"From" is later than "To"')
  expect(problemOf({ ...own, time: '1h' })).toBeUndefined()
  expect(problemOf({ ...own, to: '' })).toBeUndefined()
  expect(problemOf({ ...own, to: own.from })).toBeUndefined()
})

test('texts are trimmed, and a prospect is a boolean', () => {
  expect(selectionOf({ ...ANY, id: ' e1 ', text: ' no ', passes: 'false' }, NOW)).toEqual({
    id: 'e1',
    text: 'no',
    passes: false,
  })
})
