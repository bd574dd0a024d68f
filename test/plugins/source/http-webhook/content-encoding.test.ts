import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contentEncoding } from '../../../../src/plugins/source/http-webhook/content-encoding.js'

const both = contentEncoding(['identity', 'gzip'], '64KiB')
const gzip = { 'content-encoding': 'gzip' }

const code = (act: () => unknown): string | undefined => {
  try {
    act()
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('contentEncoding', () => {
  it('accepts the listed encodings, in any case, and no others', () => {
    const identity = contentEncoding(['identity'], '1MiB')
    const onlyGzip = contentEncoding(['gzip'], '1MiB')
    const refused = (encoding: typeof both, header: string | undefined) =>
      code(() => encoding.require(header === undefined ? {} : { 'content-encoding': header }))
    for (const header of [undefined, 'identity', 'Identity']) {
      expect(refused(identity, header)).toBeUndefined()
      expect(refused(onlyGzip, header)).toBe('HG_INTAKE_ENCODING')
    }
    for (const header of ['gzip', 'GZIP', 'x-gzip']) {
      expect(refused(identity, header)).toBe('HG_INTAKE_ENCODING')
      expect(refused(onlyGzip, header)).toBeUndefined()
    }
    for (const header of ['br', 'deflate', '', 'gzip, gzip', 'identity, gzip'])
      expect(refused(both, header)).toBe('HG_INTAKE_ENCODING')
    expect(both.accepted).toBe('identity, gzip')
  })

  it('passes a body without an encoding on unchanged', () => {
    const body = Buffer.from('{}')
    expect(both.decode({}, body)).toBe(body)
  })

  it('decompresses any body up to the limit', () => {
    const bodies = fc.uint8Array({ maxLength: 2000 })
    fc.assert(
      fc.property(bodies, (body) => Buffer.compare(both.decode(gzip, gzipSync(body)), body) === 0),
      { numRuns: 50 },
    )
    expect(both.decode(gzip, gzipSync(Buffer.alloc(65_536)))).toHaveLength(65_536)
    expect(code(() => both.decode(gzip, gzipSync(Buffer.alloc(65_537))))).toBe('HG_INTAKE_TOO_LARGE')
  })

  it('does not inflate a bomb, and uses little memory for it', () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024))
    const before = process.resourceUsage().maxRSS
    for (let count = 0; count < 10; count++)
      expect(code(() => both.decode(gzip, bomb))).toBe('HG_INTAKE_TOO_LARGE')
    // In kilobytes: inflating it once would take 200 MiB.
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(100 * 1024)
  })

  it('refuses gzip with any wrong or missing byte', () => {
    const sent = gzipSync('{"id":"a"}')
    const decode = (bytes: Buffer) => code(() => both.decode(gzip, bytes))
    for (let length = 0; length < sent.length; length++)
      expect(decode(sent.subarray(0, length))).toBe('HG_INTAKE_BAD_GZIP')
    expect(decode(Buffer.concat([sent, Buffer.from('more')]))).toBe('HG_INTAKE_BAD_GZIP')
    const damaged = Buffer.from(sent)
    damaged[sent.length - 8] = (damaged[sent.length - 8] ?? 0) ^ 1
    expect(decode(damaged)).toBe('HG_INTAKE_BAD_GZIP')
  })
})
