import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CountedMemory, RequestBody } from '../../src/http/body.js'

function bodyOf(limit: number, max: number) {
  const memory = new CountedMemory(max)
  const ends: string[] = []
  let whole: Buffer | undefined
  const body = new RequestBody(limit, memory, {
    complete(bytes) {
      ends.push('complete')
      whole = bytes
    },
    tooLarge: () => void ends.push('too large'),
    noMemory: () => void ends.push('no memory'),
    smallPieces: () => void ends.push('small pieces'),
    aborted: () => void ends.push('aborted'),
  })
  return { body, memory, ends, whole: () => whole }
}

describe('RequestBody', () => {
  it('passes the only piece on without copying it', () => {
    const { body, whole, memory } = bodyOf(100, 100)
    const piece = Buffer.from('{"id":1}')
    body.piece(piece)
    body.end()
    expect(whole()).toBe(piece)
    expect(memory.held).toBe(piece.length)
  })

  it('is complete without a piece', () => {
    const { body, whole, memory } = bodyOf(100, 100)
    body.end()
    expect(whole()).toHaveLength(0)
    expect(memory.held).toBe(0)
  })

  it('copies several pieces to one buffer, and counts all of that buffer', () => {
    const { body, memory, whole } = bodyOf(1024 * 1024, 2 * 1024 * 1024)
    for (let count = 0; count < 4000; count++) body.piece(Buffer.from('x'))
    expect(memory.held).toBeLessThan(2 * 4000)
    body.end()
    expect(memory.held).toBe(4000)
    expect(whole()?.toString()).toBe('x'.repeat(4000))
    expect(whole()?.buffer.byteLength).toBe(4000)
  })

  it('joins all pieces, and counts at least the bytes that it holds and never more than there are', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 40 })
    fc.assert(
      fc.property(pieces, fc.nat(20_000), fc.nat(20_000), (parts, limit, max) => {
        const { body, memory, ends, whole } = bodyOf(limit, max)
        let size = 0
        for (const part of parts) {
          if (!body.piece(Buffer.from(part))) break
          size += part.length
          expect(memory.held).toBeGreaterThanOrEqual(size)
          expect(memory.held).toBeLessThanOrEqual(max)
        }
        if (ends.length === 0) {
          body.end()
          expect(Buffer.concat(parts).equals(whole() as Buffer)).toBe(true)
          expect(memory.held).toBe(size)
        } else expect(memory.held).toBe(0)
        expect(ends).toHaveLength(1)
      }),
    )
  })

  it('accepts a limited number of one-byte pieces', () => {
    const { body, memory, ends } = bodyOf(1024 * 1024, 2 * 1024 * 1024)
    const one = Buffer.from('x')
    let count = 0
    while (body.piece(one)) count++
    expect(count).toBe(4096)
    expect(ends).toEqual(['small pieces'])
    expect(memory.held).toBe(0)
  })

  it('accepts any number of pieces as large as TCP segments', () => {
    const { body, ends } = bodyOf(64 * 1024 * 1024, 128 * 1024 * 1024)
    const segment = Buffer.alloc(536)
    for (let count = 0; count < 20_000; count++) expect(body.piece(segment)).toBe(true)
    body.end()
    expect(ends).toEqual(['complete'])
  })

  it('releases all of its buffer when the sender leaves', () => {
    const { body, memory, ends } = bodyOf(1024 * 1024, 1024 * 1024)
    for (let count = 0; count < 100; count++) body.piece(Buffer.alloc(100))
    body.aborted()
    expect(ends).toEqual(['aborted'])
    expect(memory.held).toBe(0)
  })
})
