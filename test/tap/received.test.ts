import { expect, test } from 'vitest'
import { receivedBody } from '../../src/tap/received.js'

const SECRETS = new Map([
  ['the-secret-of-it', '${env:S}'],
  ['top&secret&key', '${env:T}'],
])

const shown = (
  bytes: Buffer | string,
  { type = 'text/xml', json = undefined as string | undefined, hasMasks = false } = {},
) =>
  receivedBody({ type, bytes: Buffer.from(bytes as string) }, json, {
    payload: 40,
    hasMasks,
    secrets: SECRETS,
  })

test('a text is shown as it was, its beginning if it is long, with secrets replaced', () => {
  expect(shown('<a>\r\n\tä</a>')).toEqual({ type: 'text/xml', text: '<a>\r\n\tä</a>' })
  expect(shown(`<a>${'x'.repeat(60)}</a>`)).toEqual({
    type: 'text/xml',
    text: `<a>${'x'.repeat(37)}`,
    cut: true,
  })
  expect(shown('key: the-secret-of-it')).toEqual({ type: 'text/xml', text: 'key: ${env:S}' })
})

test('bytes that are no text are shown in hexadecimal, their beginning if they are many', () => {
  expect(shown(Buffer.from([0x89, 0x50, 0x4e, 0x47]), { type: 'image/png' })).toEqual({
    type: 'image/png',
    hex: '89504e47',
  })
  expect(shown('a\u0000b')).toEqual({ type: 'text/xml', hex: '610062' })
  expect(shown(Buffer.alloc(40))).toEqual({ type: 'text/xml', hex: '00'.repeat(40) })
  expect(shown(Buffer.alloc(41))).toEqual({ type: 'text/xml', hex: '00'.repeat(40), cut: true })
})

test.each<[string, Buffer | string, Parameters<typeof shown>[1]]>([
  ['with values to mask', 'a=4111', { hasMasks: true }],
  [
    'with a secret in the notation of XML',
    '<a>top&amp;secret&amp;key</a>',
    { json: '{"a":"top&secret&key"}' },
  ],
  ['with a secret among bytes that are no text', Buffer.from('\u0000the-secret-of-it'), {}],
])('a body %s is not shown', (_, bytes, options) => {
  const found = shown(bytes, options)
  expect(found).toEqual({ type: 'text/xml', unshown: expect.any(String) })
})
