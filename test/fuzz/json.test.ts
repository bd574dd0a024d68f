import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HeadgateError } from '../../src/contract/errors.js'
import { parseBody } from '../../src/lib/json/body.js'
import { pointer } from '../../src/lib/json/pointer.js'
import { writtenJson } from '../lib/json/random-json.js'
import { runs } from './runs.js'

/** JSON with some bytes changed, left out, doubled or cut off, and bytes that never were JSON. */
const bytes = fc.oneof(
  fc
    .tuple(writtenJson, fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.nat(3)), { maxLength: 4 }))
    .map(([{ text }, changes]) => changes.reduce(change, Buffer.from(text))),
  fc.uint8Array({ maxLength: 64 }).map((random) => Buffer.from(random)),
  fc.stringMatching(/^[{}[\]",:0-9eE+.tfn\\u -]{0,40}$/).map((text) => Buffer.from(text)),
)

function change(before: Buffer, [place, byte, kind]: readonly [number, number, number]): Buffer {
  const at = place % (before.length + 1)
  const [head, tail] = [before.subarray(0, at), before.subarray(at)]
  if (kind === 0) return Buffer.concat([head, Buffer.of(byte), tail])
  if (kind === 1) return Buffer.concat([head, Buffer.of(byte), tail.subarray(1)])
  if (kind === 2) return Buffer.concat([head, tail.subarray(1)])
  return Buffer.from(head)
}

/** As JSON.parse has it, or undefined. */
function expected(input: Buffer): { readonly value: unknown } | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(input)
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

it('whatever bytes come, a body is what JSON.parse makes of them, or refused with a code', () => {
  fc.assert(
    fc.property(bytes, fc.array(fc.string({ maxLength: 3 }), { maxLength: 3 }), (input, tokens) => {
      const wanted = expected(input)
      let body: ReturnType<typeof parseBody>
      try {
        body = parseBody(input, 64)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(HeadgateError)
        const { code, message } = thrown as HeadgateError
        expect(code).toMatch(/^HG_INTAKE_(NOT_UTF8|NOT_JSON|TOO_DEEP|DUPLICATE_KEY)$/)
        expect(message).not.toBe('')
        if (wanted !== undefined) expect(code).toMatch(/TOO_DEEP|DUPLICATE_KEY/)
        return
      }
      expect(body.value).toEqual(wanted?.value)
      const at = pointer(
        tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
      )
      const slice = body.slice(at)
      expect(slice === undefined ? undefined : JSON.parse(slice.toString())).toEqual(at.read(body.value))
    }),
    runs(1000),
  )
})
