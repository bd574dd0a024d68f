import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFrame, type Framed, frameReader } from '../../src/workers/frames.js'

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const framed = fc.record({
  message: fc.jsonValue().map((value) => ({ value })),
  parts: fc.array(bytes, { maxLength: 4 }),
})
const frames = fc.array(fc.array(framed, { maxLength: 5 }), { maxLength: 5 })

/** What a reader makes of a stream that comes in pieces which end at `cuts`. */
function readInPieces(stream: Buffer, cuts: readonly number[]): Framed<unknown>[] {
  const read: Framed<unknown>[] = []
  const take = frameReader((message, parts) => read.push({ message, parts }))
  const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length]
  for (const [index, place] of places.slice(1).entries()) take(stream.subarray(places[index], place))
  return read
}

test('whatever messages and bytes are sent, and wherever the stream is cut, they come as they were sent', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(), { maxLength: 20 }), (sent, cuts) => {
      const stream = Buffer.concat(sent.map(encodeFrame))
      const expected = sent.flat().map(({ message, parts }) => ({
        message: JSON.parse(JSON.stringify(message)) as unknown,
        parts,
      }))
      expect(readInPieces(stream, cuts)).toEqual(expected)
    }),
  )
})

test('texts that are no valid Unicode come as they were sent', () => {
  const sent = { message: { id: '\ud800 and \udfff' }, parts: [] }
  expect(readInPieces(encodeFrame([sent]), [])).toEqual([sent])
})

test('a frame that comes in one piece is not copied', () => {
  const stream = encodeFrame([{ message: 'with bytes', parts: [Buffer.from('value')] }])
  const [read] = readInPieces(stream, [])
  expect(read?.parts[0]?.buffer).toBe(stream.buffer)
})

test('of a frame that is cut off nothing comes', () => {
  const stream = encodeFrame([{ message: 'whole', parts: [Buffer.from('value')] }])
  for (let end = 0; end < stream.length; end++) expect(readInPieces(stream.subarray(0, end), [])).toEqual([])
})
