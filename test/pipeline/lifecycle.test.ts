import { expect, test } from 'vitest'
import { runningPipeline } from '../helpers/pipelines/inline-pipeline.js'

test('a source starts after all other parts, and parts stop upstream first', async () => {
  const { inline, stop } = await runningPipeline()
  const started = inline.order.splice(0)
  expect(started).toEqual(['start post-commit', 'start sink', 'start transform', 'start source'])
  await stop()
  // Side by side: the post-commit stage and the sink.
  expect(inline.order).toEqual(['stop source', 'stop transform', 'stop post-commit', 'stop sink'])
})
