import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { pointer } from '../../src/lib/json/pointer.js'
import { eventLine, type TapView } from '../../src/tap/lines.js'
import { eventOf } from '../helpers/pipelines/inline-plugins.js'
import { completedEvent } from './setup.js'

const masks = (...places: string[]) => places.map((place) => pointer(place).tokens)
const view = (more: Partial<TapView> = {}): TapView => ({ payload: 1000, masks: [], ...more })
const NONE = new Map<string, string>()

test('a delivered event has its place, its rule and its body', () => {
  const completed = completedEvent({
    event: eventOf('a', { id: 'a', payload: [1] }),
    remoteAddress: '203.0.113.9',
    took: 4.26,
    rule: 'all',
  })
  expect(eventLine(completed, 'all', view(), NONE)).toEqual({
    kind: 'event',
    time: '2026-01-01T00:00:00.000Z',
    pipeline: 'orders',
    id: 'a',
    outcome: 'delivered',
    remoteAddress: '203.0.113.9',
    route: 'all',
    topic: 'events',
    partition: 0,
    offset: 12,
    ms: 4.3,
    bytes: 24,
    payload: '{"id":"a","payload":[1]}',
  })
})

test('without being asked for, the body does not show', () => {
  const line = eventLine(completedEvent({}), undefined, view({ payload: 0 }), NONE)
  expect(line).toMatchObject({ bytes: 22 })
  expect(line).not.toHaveProperty('payload')
})

test('what never became an event has its code and message, and nothing of its body', () => {
  const error = new HeadgateError('HG_INTAKE_UNAUTHENTICATED', 'The bearer token is another one.')
  const completed = completedEvent({
    event: undefined,
    error,
    outcome: { kind: 'rejected', id: undefined, error },
  })
  expect(eventLine(completed, undefined, view(), NONE)).toEqual({
    kind: 'event',
    time: '2026-01-01T00:00:00.000Z',
    pipeline: 'orders',
    outcome: 'rejected',
    ms: 1,
    code: 'HG_INTAKE_UNAUTHENTICATED',
    message: 'The bearer token is another one.',
  })
})

test('a body that is not JSON shows only its size', () => {
  const event = eventOf('a')
  const odd = { ...event, body: { ...event.body, bytes: Buffer.from('{"card": 4111') } }
  const line = eventLine(completedEvent({ event: odd }), undefined, view(), NONE)
  expect(line).toMatchObject({ bytes: 13 })
  expect(JSON.stringify(line)).not.toContain('4111')
})

describe('a long body', () => {
  test('is cut to the bytes that were asked for, between two characters', () => {
    const event = eventOf('a', { t: 'ééééé' })
    const shown = eventLine(completedEvent({ event }), undefined, view({ payload: 9 }), NONE)
    expect(shown).toMatchObject({ payload: '{"t":"é', cut: true })
    expect(eventLine(completedEvent({ event }), undefined, view({ payload: 18 }), NONE)).not.toHaveProperty(
      'cut',
    )
  })

  test('shows no beginning of a secret that lies across its end', () => {
    const secrets = new Map([['hush-hush-hush', '${env:S}']])
    const event = eventOf('a', { a: 'hush-hush-hush', b: 'xx', c: 'hush-hush-hush' })
    for (let most = 1; most < 60; most++) {
      const { payload } = eventLine(completedEvent({ event }), undefined, view({ payload: most }), secrets)
      expect(payload).not.toContain('hush')
      expect(Buffer.byteLength(payload ?? '')).toBeLessThanOrEqual(most)
    }
  })
})

describe('what is masked', () => {
  test('places of the config and of who taps', () => {
    const event = eventOf('a', { ssn: 'x1', cards: [{ no: 'x2', ok: 1 }], free: 'x3' })
    const completed = completedEvent({ event, masks: masks('/ssn', '/cards/*/no') })
    expect(eventLine(completed, undefined, view({ masks: masks('/free') }), NONE).payload).toBe(
      '{"ssn":"***","cards":[{"no":"***","ok":1}],"free":"***"}',
    )
  })

  test('is not told by the id or the message either', () => {
    const error = new HeadgateError('HG_PLUGIN_REFUSED', 'The card 4111111111111111 of "Al" is blocked.')
    const event = eventOf('Al', { card: 4111111111111111, name: 'Al' })
    const completed = completedEvent({
      event,
      error,
      outcome: { kind: 'rejected', id: 'Al', error },
      masks: masks('/card', '/name'),
    })
    expect(eventLine(completed, undefined, view({ payload: 0 }), NONE)).toMatchObject({
      id: '***',
      message: 'The card *** of "***" is blocked.',
    })
  })

  test('nobody can tell for what could not be read: then the message is that of the code', () => {
    const error = new HeadgateError('HG_PLUGIN_REFUSED', 'Cannot read "4111111111111111".')
    const outcome = { kind: 'rejected', id: undefined, error } as const
    const completed = completedEvent({ event: undefined, error, outcome, masks: masks('/card') })
    expect(eventLine(completed, undefined, view(), NONE).message).toBe(
      'An external plugin rejected the event.',
    )
  })

  test('no secret of the config ever shows, in whatever part and however it is written', () => {
    const secret = fc
      .string({ unit: 'grapheme', minLength: 12, maxLength: 20 })
      .map((noise) => `~S${noise}S~`)
    fc.assert(
      fc.property(secret, fc.json(), fc.integer({ min: 1, max: 200 }), (value, more, most) => {
        const other = JSON.parse(more) as unknown
        const event = eventOf(`id ${value}`, { [value]: [`a${value}b`, other], other, last: value })
        const error = new HeadgateError('HG_SCHEMA_VIOLATION', `It is ${JSON.stringify(value)}.`)
        const outcome = { kind: 'rejected', id: event.id, error } as const
        const completed = completedEvent({ event, error, outcome })
        const secrets = new Map([[value, '${env:S}']])
        const line = eventLine(completed, undefined, view({ payload: most }), secrets)
        for (const text of [line.id, line.message, line.payload])
          for (const form of [value, JSON.stringify(value).slice(1, -1)]) expect(text).not.toContain(form)
      }),
    )
  })
})
