import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { decodeBody, FORM, MULTIPART, XML } from '../../src/lib/body/decode.js'
import { runs } from './runs.js'

const LIMITS = { maxDepth: 64, maxFields: 1000 }
const text = fc.string({ unit: 'grapheme', maxLength: 12 }).map((some) => Buffer.from(some).toString())
/** Without what XML cannot have. */
const xmlText = fc
  .string({ unit: fc.constantFrom('a', 'ä', '😀', '<', '&', '"', "'", ']', '>', '-', ' '), maxLength: 8 })
  .filter((some) => some.trim() !== '' || some === '')
const name = fc.constantFrom('a', 'b', 'c-d', 'e:f', '__proto__', 'constructor')

const escaped = (some: string): string =>
  some.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Bytes of which some are changed, left out, doubled or cut off. */
const damaged = (bytes: fc.Arbitrary<Buffer>) =>
  fc
    .tuple(bytes, fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.nat(3)), { maxLength: 4 }))
    .map(([before, changes]) =>
      changes.reduce((input, [place, byte, kind]) => {
        const at = place % (input.length + 1)
        const [head, tail] = [input.subarray(0, at), input.subarray(at)]
        if (kind === 0) return Buffer.concat([head, Buffer.of(byte), tail])
        if (kind === 1) return Buffer.concat([head, Buffer.of(byte), tail.subarray(1)])
        return kind === 2 ? Buffer.concat([head, tail.subarray(1)]) : Buffer.from(head)
      }, before),
    )

const { element } = fc.letrec<{ element: string }>((tie) => ({
  element: fc
    .tuple(
      name,
      fc.uniqueArray(fc.tuple(name, xmlText), { maxLength: 2, selector: ([own]) => own }),
      fc.array(fc.oneof({ maxDepth: 4 }, xmlText.map(escaped), tie('element')), { maxLength: 4 }),
    )
    .map(([own, attributes, content]) => {
      const written = attributes.map(([attribute, value]) => ` ${attribute}="${escaped(value)}"`).join('')
      return `<${own}${written}>${content.join('')}</${own}>`
    }),
}))

const form = fc
  .array(fc.tuple(text, text), { maxLength: 6 })
  .map((fields) => Buffer.from(new URLSearchParams(fields).toString()))
const xml = element.map((written) => Buffer.from(written))
const multipart = fc.array(fc.tuple(text, text), { maxLength: 4 }).map((fields) => {
  const parts = fields.map(
    ([field, value]) =>
      `--bound\r\nContent-Disposition: form-data; name="${field.replace(/["\r\n]/g, '')}"\r\n\r\n${value}\r\n`,
  )
  return Buffer.from(`${parts.join('')}--bound--\r\n`)
})

it.each<[string, string, fc.Arbitrary<Buffer>]>([
  ['forms', FORM, form],
  ['XML', XML, xml],
  ['multipart bodies', `${MULTIPART}; boundary=bound`, multipart],
])(
  '%s: whatever bytes come, a body is JSON with its bytes kept, or refused with a code',
  (_what, type, some) => {
    const bytes = fc.oneof(
      damaged(some),
      fc.uint8Array({ maxLength: 64 }).map((random) => Buffer.from(random)),
    )
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          const body = decodeBody(type, input, LIMITS)
          expect(JSON.parse(body.bytes.toString())).toEqual(body.value)
          expect(body.original).toEqual({ type, bytes: input })
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(HeadgateError)
          expect((thrown as HeadgateError).code).toMatch(
            /^HG_INTAKE_(BODY_MALFORMED|NOT_UTF8|TOO_DEEP|TOO_MANY_FIELDS)$/,
          )
        }
      }),
      runs(1000),
    )
  },
)

const grouped = (fields: Iterable<readonly [string, unknown]>): string => {
  const all = new Map<string, unknown[]>()
  for (const [field, value] of fields) all.set(field, [...(all.get(field) ?? []), value])
  return JSON.stringify([...all].sort(([one], [other]) => (one < other ? -1 : 1)))
}

const entriesOf = (value: unknown): [string, unknown][] =>
  Object.entries(value as object).flatMap(([field, values]) =>
    (Array.isArray(values) ? values : [values]).map((one): [string, unknown] => [field, one]),
  )

it('a form has the fields that URLSearchParams reads', () => {
  fc.assert(
    fc.property(form, (bytes) => {
      const { value } = decodeBody(FORM, bytes, LIMITS)
      expect(grouped(entriesOf(value))).toBe(grouped(new URLSearchParams(bytes.toString())))
    }),
    runs(500),
  )
})

it('a multipart body has the fields and files that the FormData of Node.js writes', async () => {
  const file = fc
    .tuple(
      // Node.js leaves an empty one out.
      text.filter((filename) => filename !== ''),
      fc.uint8Array({ maxLength: 20 }),
    )
    .map(
      ([filename, content]) =>
        new File([content as Uint8Array<ArrayBuffer>], filename, { type: 'image/png' }),
    )
  const entries = fc.array(fc.tuple(text, fc.oneof(text, file)), { maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(entries, async (written) => {
      const data = new FormData()
      for (const [field, value] of written) data.append(field, value)
      const response = new Response(data)
      const bytes = Buffer.from(await response.arrayBuffer())
      const [, boundary] = /boundary=(.+)$/.exec(response.headers.get('content-type') ?? '') ?? []
      const { value } = decodeBody(`${MULTIPART}; boundary=${boundary}`, bytes, LIMITS)
      const lines = (some: string) => some.replace(/\r\n?|\n/g, '\r\n')
      const expected: [string, unknown][] = []
      for (const [field, one] of written)
        expected.push([
          lines(field),
          typeof one === 'string'
            ? lines(one)
            : {
                filename: one.name,
                type: 'image/png',
                base64: Buffer.from(await one.arrayBuffer()).toString('base64'),
              },
        ])
      expect(grouped(entriesOf(value))).toBe(grouped(expected))
    }),
    runs(200),
  )
})
