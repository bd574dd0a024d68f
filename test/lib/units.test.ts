import { Ajv } from 'ajv'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes, Duration, milliseconds, Size } from '../../src/lib/units.js'

const ajv = new Ajv({ keywords: ['expected'] })
const accepts = (schema: object, text: string) => ajv.validate(schema, text)
const duration = Duration({ description: 'A wait.', default: '30s' })
const size = Size({ description: 'A limit.', default: '1MiB' })

describe('a duration', () => {
  it.each([
    ['0ms', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['010s', 10_000],
  ])('%s is accepted and is %d milliseconds', (text, expected) => {
    expect(accepts(duration, text)).toBe(true)
    expect(milliseconds(text)).toBe(expected)
  })

  it.each(['', '5', 's', '1.5s', '-1s', '1 s', '1S', '1w', '1s ', '1h30m', '1234567890s'])(
    '%j is refused',
    (text) => {
      expect(accepts(duration, text)).toBe(false)
    },
  )

  it('is its number of its unit, whatever is accepted', () => {
    fc.assert(
      fc.property(fc.nat(999_999_999), fc.constantFrom('ms', 's', 'm', 'h', 'd'), (count, unit) => {
        expect(milliseconds(`${count}${unit}`)).toBe(count * milliseconds(`1${unit}`))
      }),
    )
  })
})

describe('a size', () => {
  it.each([
    ['0B', 0],
    ['512B', 512],
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
  ])('%s is accepted and is %d bytes', (text, expected) => {
    expect(accepts(size, text)).toBe(true)
    expect(bytes(text)).toBe(expected)
  })

  it.each(['', '1', '1kB', '1KB', '1MB', '1GiB', '1.5MiB', '-1B', '1 B'])('%j is refused', (text) => {
    expect(accepts(size, text)).toBe(false)
  })
})

it('does not take a unit of the other kind', () => {
  expect(() => milliseconds('1MiB')).toThrow('"1MiB" has no unit of ms, s, m, h, d')
  expect(() => bytes('1s')).toThrow('"1s" has no unit of B, KiB, MiB')
})
