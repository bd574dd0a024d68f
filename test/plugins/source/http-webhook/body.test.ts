import { describe, expect, it } from 'vitest'
import { HeadgateError } from '../../../../src/contract/errors.js'
import type { JsonBody } from '../../../../src/contract/index.js'
import { type BodySettings, bodyReader } from '../../../../src/plugins/source/http-webhook/body.js'
import { httpWebhook } from '../../../../src/plugins/source/http-webhook/index.js'
import { checkContext, fillDefaults } from '../../../helpers/context.js'
import { startWebhook } from './webhook.js'

const JSON_ONLY: BodySettings = { formats: ['json'], value: 'sent', maxFields: 10 }
const reader = (settings: Partial<BodySettings>) => bodyReader({ ...JSON_ONLY, ...settings }, 8)

const code = (headers: { [name: string]: string }): string | undefined => {
  try {
    reader({}).require(headers)
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('a source that takes JSON', () => {
  it.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json ; profile=x ; charset=utf-8',
    'application/cloudevents+json',
    'application/vnd.github.v3+json',
    'application/json; charset=utf8',
    'application/json; charset="UTF8"',
    'application/json; charset="ut\\f-8"',
    'application/json; profile="a;b"; charset=utf-8',
    'application/json; profile="a; charset=latin1"',
    'application/json; profile="\\"; charset=latin1"',
    'application/json;',
    'application/json;;\tcharset=utf-8\t; x=y',
    'application/json; charset=utf-8; x="é"',
  ])('takes %s', (type) => {
    expect(code({ 'content-type': type })).toBeUndefined()
  })

  it.each([
    'text/plain',
    'text/json',
    'application/jsonp',
    'application/json-seq',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
    'application/json; charset=utf-16',
    'application/json; charset="latin1"',
    'application/json; profile="a;b"; charset=latin1',
    'application/json; charset=utf-8; charset=latin1',
    'application/json; charset=',
    'application/+json',
    'application/json, text/plain',
    '',
  ])('refuses "%s"', (type) => {
    expect(code({ 'content-type': type })).toBe('HG_INTAKE_MEDIA_TYPE')
  })

  it('is fast for a header of the maximum length', () => {
    for (const filling of [' ', '\t', ';', 'a', '"', '\\', ' ;', 'a=', '+json', ';charset='])
      for (const type of ['application/json;', 'application/a+json;', 'application/json; x="'])
        code({ 'content-type': `${type}${filling.repeat(16_000 / filling.length)}\u0000` })
  })

  it('refuses a body without a declared type', () => {
    expect(code({})).toBe('HG_INTAKE_MEDIA_TYPE')
  })
})

const FORM = 'application/x-www-form-urlencoded'

describe('bodies that are not JSON', () => {
  const read = (settings: Partial<BodySettings>, type: string, body: string | Buffer): JsonBody =>
    reader(settings).read({ 'content-type': type }, Buffer.from(body))

  it.each<[BodySettings['formats'][number], string, string, unknown]>([
    ['form', FORM, 'From=%2B1415&Body=h%C3%A4+x', { From: '+1415', Body: 'hä x' }],
    ['form', `${FORM}; charset=UTF-8`, 'a=1&a=2', { a: ['1', '2'] }],
    ['xml', 'text/xml', '<e id="5"><t>x</t></e>', { e: { '@id': '5', t: 'x' } }],
    ['xml', 'application/soap+xml; charset=utf-8', '<e/>', { e: '' }],
    [
      'multipart',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="to"\r\n\r\nme\r\n--b--\r\n',
      { to: 'me' },
    ],
    ['raw', 'image/png', '\u0000', null],
  ])('%s, as %s: rules see JSON, and the event keeps its bytes', (format, type, body, value) => {
    const decoded = read({ formats: ['json', format] }, type, body)
    expect(decoded.value).toEqual(value)
    expect(JSON.parse(decoded.bytes.toString())).toEqual(value)
    expect(decoded.original?.bytes.toString()).toBe(body)
    expect(() => read({}, type, body)).toThrow('not accepted')
  })

  it('the event is the decoded JSON if the source is set to it', () => {
    const body = read({ formats: ['form'], value: 'json' }, FORM, 'a=1')
    expect(body.original).toBeUndefined()
    expect(body.bytes.toString()).toBe('{"a":"1"}')
  })

  it('the JSON in the only field of a form is the content, with its numbers as they were sent', () => {
    const settings: Partial<BodySettings> = { formats: ['form'], jsonField: 'payload' }
    const form = `payload=${encodeURIComponent('{"id":9007199254740993}')}`
    expect(read(settings, FORM, form).bytes.toString()).toBe('{"id":9007199254740993}')
    expect(read(settings, FORM, 'payload=%7B%7D&x=1').value).toEqual({ payload: '{}', x: '1' })
    expect(read(settings, FORM, 'payload=%7B%7D&payload=1').value).toEqual({ payload: ['{}', '1'] })
    expect(() => read(settings, FORM, 'payload=nothing')).toThrow('not JSON')
  })

  it('the digest as an id is that of the bytes as they came', async () => {
    const { post, events } = await startWebhook({ body: { formats: ['form'] }, eventId: 'digest' })
    await post('a=1&b=2', { 'content-type': FORM })
    await post('b=2&a=1', { 'content-type': FORM })
    await post('a=%31&b=2', { 'content-type': FORM })
    expect(new Set(events.map(({ id }) => id)).size).toBe(3)
  })

  it('raw takes any Content-Type that no other format has, and none', () => {
    const raw = reader({ formats: ['json', 'raw'] })
    expect(raw.read({}, Buffer.from('{}')).original?.type).toBe('application/octet-stream')
    expect(raw.read({ 'content-type': FORM }, Buffer.from('a=1')).value).toBeNull()
    expect(raw.read({ 'content-type': 'application/json' }, Buffer.from('{}')).original).toBeUndefined()
    expect(
      reader({ formats: ['raw'] }).read({ 'content-type': 'application/json' }, Buffer.from('{')).value,
    ).toBeNull()
  })

  it('a byte order mark is no part of the content', () => {
    const mark = '\ufeff'
    expect(read({}, 'application/json', `${mark}{"a":1}`).value).toEqual({ a: 1 })
    expect(read({ formats: ['form'] }, FORM, `${mark}a=1`).value).toEqual({ a: '1' })
    expect(read({ formats: ['xml'] }, 'text/xml', `${mark}<a/>`).value).toEqual({ a: '' })
  })

  it.each([
    ['a boundary that comes twice', 'multipart/form-data; boundary=a; boundary=b'],
    ['a boundary that is too long', `multipart/form-data; boundary=${'x'.repeat(71)}`],
    ['no boundary', 'multipart/form-data'],
  ])('%s is refused', (_what, type) => {
    expect(() => reader({ formats: ['multipart'] }).require({ 'content-type': type })).toThrow('boundary')
  })

  it.each([`${FORM}; charset=iso-8859-1`, 'text/xml; charset=utf-16'])('refuses %s', (type) => {
    expect(() => reader({ formats: ['form', 'xml'] }).require({ 'content-type': type })).toThrow('UTF-8')
  })

  it('says which types it accepts', async () => {
    const { post } = await startWebhook({ body: { formats: ['json', 'form'] } })
    const refused = await post('<a/>', { 'content-type': 'text/xml' })
    expect(refused).toMatchObject({
      status: 415,
      headers: { accept: 'application/json, application/x-www-form-urlencoded' },
      json: { code: 'HG_INTAKE_MEDIA_TYPE' },
    })
  })

  it('decoded bytes count against the memory for bodies, and are released', async () => {
    const { post, listener } = await startWebhook(
      { body: { formats: ['form'] }, eventId: 'digest', maxBody: '600B' },
      undefined,
      { maxBodyMemory: 1000 },
    )
    const headers = { 'content-type': FORM }
    expect((await post(`a=${'%01'.repeat(150)}`, headers)).json).toMatchObject({ code: 'HG_INTAKE_BUSY' })
    expect((await post('a=1', headers)).status).toBe(200)
    expect(listener.usage().bodyBytes).toBe(0)
  })
})

describe('settings of bodies', () => {
  const problems = (config: object) => {
    const verify = { scheme: 'bearer', tokens: ['t'] }
    const settings = fillDefaults(httpWebhook, { path: '/in', eventId: '/id', verify, ...config })
    return [...(httpWebhook.check?.(settings, checkContext({ exposed: true })) ?? [])]
  }

  it.each<[string, object, string]>([
    ['a field of a form without forms', { body: { jsonField: 'payload' } }, '/body/jsonField'],
    ['JSON of a raw body', { body: { formats: ['json', 'raw'], value: 'json' } }, '/body/value'],
    ['an id in a raw body', { body: { formats: ['raw'] } }, '/eventId'],
    [
      'a secret in a raw body',
      {
        body: { formats: ['raw'] },
        eventId: 'digest',
        verify: { scheme: 'body-field', at: '/s', secrets: ['s'] },
      },
      '/verify/scheme',
    ],
    [
      'a handshake in a raw body',
      { body: { formats: ['raw'] }, eventId: 'digest', handshake: { form: 'body', when: { '/a': 'b' } } },
      '/handshake/form',
    ],
  ])('refuses %s', (_what, config, at) => {
    expect(problems(config)).toMatchObject([{ at, code: 'HG_CONFIG_CONFLICT' }])
  })

  it('accepts a raw body with an id in a header', () => {
    expect(problems({ body: { formats: ['raw'] }, eventId: 'header:X-Id' })).toEqual([])
  })
})

it('no error of a body quotes it', () => {
  const bodies: readonly (readonly [string, string])[] = [
    ['text/xml', '<a>hunter2&hunter2;</a>'],
    ['text/xml', '<hunter2></a>'],
    ['text/xml', '<a hunter2="1" hunter2="2"/>'],
    ['text/xml', '<!DOCTYPE hunter2><a/>'],
    ['text/xml', '<?xml version="1.0" encoding="hunter2"?><a/>'],
    [FORM, 'hunter2=%FF'],
    ['multipart/form-data; boundary=hunter2', '--hunter2\r\nhunter2\r\n\r\n\r\n--hunter2--'],
  ]
  for (const [type, body] of bodies) {
    const read = () =>
      reader({ formats: ['form', 'xml', 'multipart'] }).read({ 'content-type': type }, Buffer.from(body))
    expect(read, body).toThrow(HeadgateError)
    expect(read, body).not.toThrow('hunter2')
  }
})
