import { Duplex } from 'node:stream'

/** Two ends of a connection in memory: each reads the bytes that the other writes. */
export function duplexPair(): readonly [Duplex, Duplex] {
  const one = end()
  const other = end()
  one.peer = other
  other.peer = one
  return [one, other]
}

interface End extends Duplex {
  peer: Duplex
}

function end(): End {
  const stream = new Duplex({
    allowHalfOpen: false,
    read() {},
    write(chunk: Buffer, _encoding, done) {
      stream.peer.push(chunk)
      done()
    },
    final(done) {
      stream.peer.push(null)
      done()
    },
  }) as End
  return stream
}
