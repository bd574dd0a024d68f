import { expect, it } from 'vitest'
import { decodeBody } from '../../../../../src/lib/body/decode.js'
import {
  bodyText,
  isJsonBody,
} from '../../../../../src/plugins/source/http-webhook/simulated-sender/body-text.js'

const LIMITS = { maxDepth: 10, maxFields: 100 }

it.each([
  ['application/x-www-form-urlencoded', { a: 'x y', b: '&=ü', empty: '' }],
  ['application/xml', { event: { '@id': '1 < 2 & "3"', page: 'a > b', none: '' } }],
  ['application/xml', { tags: { tag: ['a', { '@lang': 'en', '#text': 'b & c' }] } }],
])('a body of %s is sent as it decodes', (type, body) => {
  const text = bodyText({ 'Content-Type': type }, body)
  expect(decodeBody(type, Buffer.from(text), LIMITS).value).toEqual(body)
})

it('the Content-Type decides on the text, with its parameters and in any case', () => {
  const form = { 'Content-Type': 'Application/X-WWW-Form-Urlencoded; charset=UTF-8' }
  expect([bodyText(form, { a: '1' }), isJsonBody(form)]).toEqual(['a=1', false])
  const xml = { 'Content-Type': 'text/xml' }
  expect([bodyText(xml, { a: '1' }), isJsonBody(xml)]).toEqual([
    '<?xml version="1.0" encoding="UTF-8"?><a>1</a>',
    false,
  ])
  const json = { 'Content-Type': 'application/cloudevents+json' }
  expect([bodyText(json, { a: '1' }), isJsonBody(json)]).toEqual(['{"a":"1"}', true])
})
