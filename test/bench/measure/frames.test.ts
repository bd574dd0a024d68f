import { expect, test } from 'vitest'
import { summarizeFrames } from '../../../bench/measure/frames.js'

test('frames over 50 ms count with the time that they took', () => {
  const frames = [...Array<number>(48).fill(16), 32, 200]
  expect(summarizeFrames({ frames, tasks: [180] }, 0.3)).toEqual({
    perSecond: 50,
    p50: 16,
    p99: 200,
    longest: 200,
    late: 0.2,
    longTasks: 1,
    busy: 0.3,
  })
})

test('a page that has drawn nothing has no figures', () => {
  expect(summarizeFrames({ frames: [], tasks: [] }, 0)).toMatchObject({ perSecond: 0, longest: 0, late: 0 })
})
