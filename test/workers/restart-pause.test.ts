import { expect, test } from 'vitest'
import { restartPause } from '../../src/workers/restart-pause.js'

test('a worker that has lived long is replaced at once', () => {
  expect(restartPause(60_000, 30_000)).toBe(0)
})

test('one that dies again and again is replaced more and more slowly, up to a bound', () => {
  const pauses: number[] = []
  for (let pause = 0, n = 0; n < 12; n++) {
    pause = restartPause(500, pause)
    pauses.push(pause)
  }
  expect(pauses.slice(0, 4)).toEqual([100, 200, 400, 800])
  expect(pauses.at(-1)).toBe(30_000)
})
