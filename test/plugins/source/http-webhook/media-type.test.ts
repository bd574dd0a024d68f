import { describe, expect, it } from 'vitest'
import { requireJson } from '../../../../src/plugins/source/http-webhook/media-type.js'

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
    'application/+json',
    'application/json, text/plain',
    '',
  ])('refuses "%s"', (type) => {
    expect(code({ 'content-type': type })).toBe('HG_INTAKE_MEDIA_TYPE')
  })

  it('refuses a body without a declared type', () => {
    expect(code({})).toBe('HG_INTAKE_MEDIA_TYPE')
  })
})
