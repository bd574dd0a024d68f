import type { OwedKey } from './rows.js'

/** A map by keys of acknowledgements. They are numbers, and nothing is put together to look one up. */
export interface ByKey<Value> {
  get(key: OwedKey): Value | undefined
  has(key: OwedKey): boolean
  set(key: OwedKey, value: Value): void
  delete(key: OwedKey): boolean
  size(): number
  entries(): Iterable<readonly [OwedKey, Value]>
}

export function byKey<Value>(): ByKey<Value> {
  const partitions: (Map<number, Value> | undefined)[] = []
  return {
    get: ([partition, offset]) => partitions[partition]?.get(offset),
    has: ([partition, offset]) => partitions[partition]?.has(offset) === true,
    set([partition, offset], value) {
      let offsets = partitions[partition]
      if (offsets === undefined) {
        offsets = new Map()
        partitions[partition] = offsets
      }
      offsets.set(offset, value)
    },
    delete: ([partition, offset]) => partitions[partition]?.delete(offset) === true,
    size: () => partitions.reduce((size, offsets) => size + (offsets?.size ?? 0), 0),
    *entries() {
      for (const [partition, offsets] of partitions.entries()) {
        if (offsets === undefined) continue
        for (const [offset, value] of offsets) yield [[partition, offset], value]
      }
    },
  }
}
