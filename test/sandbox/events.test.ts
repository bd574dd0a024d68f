import { expect, test } from 'vitest'
import { FEWEST_EVENTS, generateEvents, INVALID_EVENTS } from '../../src/sandbox/events.js'
import { ROUTES } from '../../src/sandbox/routes.js'

const events = (count: number, seed = 1) => generateEvents({ count, token: 'secret', seed })

test('the same seed gives the same events, another one gives others', () => {
  const text = (seed?: number) => JSON.stringify(events(500, seed))
  expect(text()).toBe(text())
  expect(text(2)).not.toBe(text())
})

test.each([FEWEST_EVENTS, 300, 2000])(
  'of %i events, there are some for every route, of every invalid kind, and again',
  (count) => {
    const postings = events(count)
    expect(postings).toHaveLength(count)
    const expected = postings.map(({ event }) => event.expected)
    const routes = expected.map((expectation) => expectation.kind === 'delivered' && expectation.route)
    const reasons = expected.map((expectation) => expectation.kind === 'rejected' && expectation.why)
    for (const route of ROUTES) expect(routes).toContain(route)
    for (const { why } of INVALID_EVENTS) expect(reasons).toContain(why)
    expect(postings.some(({ redelivery }) => redelivery)).toBe(true)
  },
)

test('an event comes again only after it came first, and with the same bytes', () => {
  const seen = new Set<object>()
  for (const { event, redelivery } of events(2000)) {
    expect(seen.has(event)).toBe(redelivery)
    seen.add(event)
  }
})

test('the expected value is the payload of the body, byte for byte', () => {
  for (const { event } of events(2000)) {
    if (event.expected.kind !== 'delivered') continue
    expect(event.body.includes(event.expected.value)).toBe(true)
    const body = JSON.parse(event.body.toString())
    expect(body.dataActionId).toBe(event.id)
    expect(body.payload).toEqual(JSON.parse(event.expected.value.toString()))
  }
})

test('no two events have both id and bytes in common, though some share an id', () => {
  const first = events(2000).filter(({ redelivery }) => !redelivery)
  const bodies = new Set(first.map(({ event }) => event.body.toString('latin1')))
  const ids = new Set(first.map(({ event }) => event.id))
  expect(bodies.size).toBe(first.length)
  expect(ids.size).toBeLessThan(first.length)
})

test('the payloads hold what a round trip through a parser would change', () => {
  const changed = events(2000).filter(({ event: { expected } }) => {
    if (expected.kind !== 'delivered') return false
    const text = expected.value.toString()
    return JSON.stringify(JSON.parse(text)) !== text
  })
  expect(changed.length).toBeGreaterThan(500)
})
