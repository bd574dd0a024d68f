import type { RecordHeader } from '../../../contract/index.js'

type Pair = { [name: string]: string }

/**
 * Headers as node-rdkafka takes them: an object with one property for each. It copies them before `produce` returns, so
 * the objects are used again for the next record; their names are few, for they come from the config.
 */
export function headerPairs(): (headers: readonly RecordHeader[]) => Pair[] | undefined {
  const known = new Map<string, Pair>()
  return (headers) => {
    if (headers.length === 0) return undefined
    const pairs: Pair[] = []
    for (const { name, value } of headers) {
      const pair = known.get(name)
      if (pair === undefined || pairs.includes(pair)) {
        // A computed name is a property whatever it is, `__proto__` too. Of an object without a prototype, V8 would gather
        // the names anew each time that node-rdkafka asks for them.
        const own = { [name]: value }
        known.set(name, own)
        pairs.push(own)
      } else {
        pair[name] = value
        pairs.push(pair)
      }
    }
    return pairs
  }
}
