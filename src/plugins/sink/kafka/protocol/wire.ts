/**
 * The encoding of Kafka's protocol: librdkafka can ask for the settings of topics, for the ids of topics and for the rights of
 * the user, node-rdkafka (3.6) passes none of that on. Mostly the versions before KIP-482; ids need the "compact" ones.
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
export const int64 = (value: number): Encoded => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
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

/** An unsigned number of seven bits a byte, the lowest first. */
export function varint(value: number): Encoded {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}
export const NO_TAGS: Encoded = varint(0)
export const NO_UUID: Encoded = Buffer.alloc(16)
export const compactText = (value: string): Encoded => {
  const bytes = Buffer.from(value)
  return Buffer.concat([varint(bytes.length + 1), bytes])
}
export const compactList = <Item>(items: readonly Item[], encode: (item: Item) => Encoded): Encoded =>
  Buffer.concat([varint(items.length + 1), ...items.map(encode)])

/** Reads a response from its beginning to its end. Throws RangeError if it is shorter than it says. */
export interface Reader {
  int8(): number
  int16(): number
  int32(): number
  /** Exact up to 2^53, which no offset comes near. */
  int64(): number
  bool(): boolean
  /** Empty if the protocol says null. */
  text(): string
  blob(): Buffer
  list<Item>(read: () => Item): Item[]
  /** As hexadecimal digits. */
  uuid(): string
  compactText(): string
  compactList<Item>(read: () => Item): Item[]
  /** Skips the tagged fields that end a structure. */
  tags(): void
}

export function reader(bytes: Buffer): Reader {
  let at = 0
  const advance = (length: number): number => {
    const from = at
    at += length
    if (at > bytes.length) throw new RangeError('the response is cut short')
    return from
  }
  const take = (length: number): Buffer => {
    const from = advance(Math.max(length, 0))
    return bytes.subarray(from, at)
  }
  const varint = (): number => {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes.readUInt8(advance(1))
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new RangeError('the response is not encoded as Kafka does it')
  }
  const own: Reader = {
    int8: () => bytes.readInt8(advance(1)),
    int16: () => bytes.readInt16BE(advance(2)),
    int32: () => bytes.readInt32BE(advance(4)),
    int64: () => Number(bytes.readBigInt64BE(advance(8))),
    bool: () => own.int8() !== 0,
    text: () => take(own.int16()).toString(),
    blob: () => take(own.int32()),
    list(read) {
      const length = own.int32()
      const items = []
      for (let index = 0; index < length; index++) items.push(read())
      return items
    },
    uuid: () => take(16).toString('hex'),
    compactText: () => take(varint() - 1).toString(),
    compactList(read) {
      const length = varint() - 1
      const items = []
      for (let index = 0; index < length; index++) items.push(read())
      return items
    },
    tags() {
      for (let left = varint(); left > 0; left--) {
        varint()
        take(varint())
      }
    },
  }
  return own
}
