import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { noOpenssl } from '../helpers/certificates.js'
import { frame, post, rawHttp2, setting, uint32 } from '../helpers/http2-frames.js'
import { until } from '../helpers/until.js'
import { certificate, client, listenSecure, send } from '../http/http2/setup.js'
import { echo, ok } from '../http/setup.js'
import { runs } from './runs.js'

const RUNS = runs(20)

const payload = fc.oneof(
  { weight: 3, arbitrary: fc.constant(post()) },
  fc.constantFrom(Buffer.alloc(0), Buffer.from('hi'), uint32(0), uint32(8), setting(4, 0), setting(5, 1)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
)
const anyFrame = fc
  .record({
    type: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(0, 1) }, fc.nat(10)),
    flags: fc.constantFrom(0, 1, 4, 4, 5, 5, 8, 0x20, 0x2d, 0xff),
    stream: fc.constantFrom(0, 1, 1, 1, 3, 3, 5, 2),
    payload,
  })
  .map(({ type, flags, stream, payload }) => frame(type, flags, stream, payload))
const conversation = fc.record({
  frames: fc.array(anyFrame, { minLength: 1, maxLength: 12 }),
  /** How many of the frames are in a write. */
  together: fc.integer({ min: 1, max: 12 }),
  settings: fc.constantFrom(Buffer.alloc(0), setting(4, 0)),
})

it.skipIf(noOpenssl !== undefined)(
  'whatever frames come: what is counted is released, the connection ends, and the next sender is served',
  async () => {
    const { handler } = echo({
      async handle({ body }) {
        // Some at once, some later, so that responses overtake each other.
        for (let turn = body.length % 3; turn > 0; turn--) await nextTurn()
        return ok(`<${body.length}>`)
      },
    })
    const { port, listener, http } = await listenSecure(handler, {
      timeouts: { headers: 1000, request: 1000, inactive: 150, keepAlive: 1, checkEvery: 10 },
    })
    await fc.assert(
      fc.asyncProperty(conversation, async ({ frames, together, settings }) => {
        const connection = await rawHttp2(port, { ca: certificate().cert }, { settings })
        for (let from = 0; from < frames.length; from += together) {
          connection.send(...frames.slice(from, from + together))
          await nextTurn()
        }
        connection.end()
        await connection.closed()
        await until(() => listener.usage().connections + listener.usage().bodyBytes === 0)
      }),
      RUNS,
    )
    // No request is left behind.
    const next = await client(port)
    expect(await send(next, 'hi')).toMatchObject({ status: 200, text: '<2>' })
    await http.withdraw()
  },
  60_000 + RUNS.numRuns * 2000,
)
