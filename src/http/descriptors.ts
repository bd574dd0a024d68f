import { readdirSync, readFileSync } from 'node:fs'

/** Kept for the admin listener (100 connections), for connections to upstreams (128 by default) and brokers, and for files. */
const RESERVE = 256

export interface Descriptors {
  /** How many files and connections the process may have open. */
  readonly limit: number
  /** How many of them senders may have, so that the admin listener is never without. */
  readonly forSenders: number
}

/** Undefined where the system does not tell: it does on Linux. */
export function readDescriptors(): Descriptors | undefined {
  try {
    const limit = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
    if (Number.isNaN(limit)) return undefined
    return { limit, forSenders: shareForSenders(limit, readdirSync('/proc/self/fd').length) }
  } catch {
    return undefined
  }
}

/** A quarter of a limit that is small: then there is too little for everybody. */
export const shareForSenders = (limit: number, open: number): number =>
  Math.max(limit - open - RESERVE, Math.floor(limit / 4))
