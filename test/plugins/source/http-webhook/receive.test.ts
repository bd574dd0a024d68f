import { describe, expect, it } from 'vitest'
import { requireJson } from '../../../../src/plugins/source/http-webhook/receive.js'

const code = (headers: { [name: string]: string }): string | undefined => {
  try {
    requireJson(headers)
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('requireJson', () => {
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
