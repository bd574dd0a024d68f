/**
 * The encoding of Kafka's protocol, in its non-flexible versions: librdkafka can ask for the settings of topics and for
 * what the user may do, node-rdkafka (3.6) hands neither on.
 */

/** One piece of a request. */
export type Encoded = Buffer

export const int8 = (value: number): Encoded => {
  const bytes = Buffer.alloc(1)
  bytes.writeInt8(value)
  return bytes
}
export const int16 = (value: number): Encoded => {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
export const int32 = (value: number): Encoded => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
export const bool = (value: boolean): Encoded => int8(value ? 1 : 0)
export const text = (value: string): Encoded => {
  const bytes = Buffer.from(value)
  return Buffer.concat([int16(bytes.length), bytes])
}
export const blob = (value: Buffer): Encoded => Buffer.concat([int32(value.length), value])
export const list = <Item>(items: readonly Item[], encode: (item: Item) => Encoded): Encoded =>
  Buffer.concat([int32(items.length), ...items.map(encode)])

/** Reads an answer from its beginning to its end. Throws RangeError where it is shorter than it says. */
export interface Reader {
  int8(): number
  int16(): number
  int32(): number
  bool(): boolean
  /** Empty where the protocol says null. */
  text(): string
  blob(): Buffer
  list<Item>(read: () => Item): Item[]
}

export function reader(bytes: Buffer): Reader {
  let at = 0
  const advance = (length: number): number => {
    const from = at
    at += length
    if (at > bytes.length) throw new RangeError('the answer is cut short')
    return from
  }
  const take = (length: number): Buffer => {
    const from = advance(Math.max(length, 0))
    return bytes.subarray(from, at)
  }
  const own: Reader = {
    int8: () => bytes.readInt8(advance(1)),
    int16: () => bytes.readInt16BE(advance(2)),
    int32: () => bytes.readInt32BE(advance(4)),
    bool: () => own.int8() !== 0,
    text: () => take(own.int16()).toString(),
    blob: () => take(own.int32()),
    list(read) {
      const length = own.int32()
      const items = []
      for (let index = 0; index < length; index++) items.push(read())
      return items
    },
  }
  return own
}
