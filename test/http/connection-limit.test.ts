import { expect, it } from 'vitest'
import { readDescriptors, shareForSenders } from '../../src/http/connection-limit.js'

it('keeps descriptors for everything except senders', () => {
  expect(shareForSenders(65_536, 100)).toBe(65_180)
  expect(shareForSenders(1024, 60)).toBe(708)
})

it('leaves a quarter of a small limit to senders', () => {
  expect(shareForSenders(256, 40)).toBe(64)
})

it.runIf(process.platform === 'linux')('reads the limit of this process', () => {
  const found = readDescriptors()
  expect(found?.limit).toBeGreaterThan(0)
  expect(found?.forSenders).toBeLessThan(found?.limit ?? 0)
})
