import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Channel, encodeFrame, type Framed, frameReader } from '../../src/workers/channel.js'
import { duplexPair } from './duplex-pair.js'

/** Two ends, the messages that the second has received, and the number of frames. */
function connected() {
  const [one, other] = duplexPair()
  const came: string[] = []
  let frames = 0
  other.on('data', () => frames++)
  const receiver = new Channel<string, string>(other)
  receiver.onMessage((message) => came.push(message))
  return { sender: new Channel<string, string>(one), came, frames: () => frames }
}

test('all messages of one tick are one frame, in their order, lazy ones included', async () => {
  const { sender, came, frames } = connected()
  sender.sendLazily('lazy')
  sender.send('now')
  sender.sendLazily('lazy, too')
  sender.send('and this')
  await expect.poll(() => came).toEqual(['lazy', 'now', 'lazy, too', 'and this'])
  expect(frames()).toBe(1)
})

test('a lazy message is also sent if no other is, and when the channel is closed', async () => {
  const { sender, came } = connected()
  sender.sendLazily('alone')
  await expect.poll(() => came).toEqual(['alone'])
  sender.sendLazily('the last')
  void sender.close()
  await expect.poll(() => came).toEqual(['alone', 'the last'])
})

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const framed = fc.record({
  message: fc.jsonValue().map((value) => ({ value })),
  parts: fc.array(bytes, { maxLength: 4 }),
})
const frames = fc.array(fc.array(framed, { maxLength: 5 }), { maxLength: 5 })

/** The messages of a stream that comes in pieces which end at `cuts`. */
function readInPieces(stream: Buffer, cuts: readonly number[]): Framed<unknown>[] {
  const read: Framed<unknown>[] = []
  const take = frameReader((message, parts) => read.push({ message, parts }))
  const ends = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length]
  for (const [index, end] of ends.slice(1).entries()) take(stream.subarray(ends[index], end))
  return read
}

test('all messages and bytes are received as they were sent, wherever the stream is cut', () => {
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

test('texts that are not valid Unicode are received as they were sent', () => {
  const sent = { message: { id: '\ud800 and \udfff' }, parts: [] }
  expect(readInPieces(encodeFrame([sent]), [])).toEqual([sent])
})

test('a frame that comes in one piece is not copied', () => {
  const stream = encodeFrame([{ message: 'with bytes', parts: [Buffer.from('value')] }])
  const [read] = readInPieces(stream, [])
  expect(read?.parts[0]?.buffer).toBe(stream.buffer)
})

test('an incomplete frame has no message', () => {
  const stream = encodeFrame([{ message: 'whole', parts: [Buffer.from('value')] }])
  for (let end = 0; end < stream.length; end++) expect(readInPieces(stream.subarray(0, end), [])).toEqual([])
})
