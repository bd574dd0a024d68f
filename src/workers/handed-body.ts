import type { JsonBody, JsonPointer } from '../contract/index.js'
import { parseBody } from '../lib/json/body.js'

/** The source has seen these bytes; how deep it lets them be is a setting of its own, of which this is the largest. */
const MAX_DEPTH = 1000

/** Parsed only where somebody asks: for a dead letter, or for who taps. */
export class HandedBody implements JsonBody {
  private parsed: JsonBody | undefined = undefined

  constructor(readonly bytes: Buffer) {}

  get value(): unknown {
    return this.body.value
  }

  slice(pointer: JsonPointer): Buffer | undefined {
    return this.body.slice(pointer)
  }

  private get body(): JsonBody {
    this.parsed ??= parseBody(this.bytes, MAX_DEPTH)
    return this.parsed
  }
}
