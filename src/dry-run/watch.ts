import type { CheckedPipeline } from '../config/check.js'
import { asHeadgateError } from '../contract/errors.js'
import type { Event, Explanation, Transform } from '../contract/index.js'
import type { Pipeline } from '../pipeline/build.js'
import type { Apply, Send } from '../pipeline/observe.js'
import { currentTrace, stepOf } from './trace.js'

/** The same pipeline, whose wrapped stages note what they decide. */
export function watch(pipeline: Pipeline, checked: CheckedPipeline): Pipeline {
  const { source, transforms, sink } = checked
  const { deadLetters, plugins } = pipeline
  const sinkPlugin = sink.definition.name
  const watchSend =
    (stage: string, deadLetter: boolean, send: Send): Send =>
    async (event, record) => {
      const trace = currentTrace()
      trace.deadLetter = deadLetter
      const decision = await send(event, record)
      trace.steps.push(stepOf(stage, sinkPlugin, decision))
      return decision
    }
  const watchApply = (apply: Apply, index: number): Apply => {
    const plugin = transforms[index]?.definition.name ?? ''
    const stage = `transform.${index}.${plugin}`
    return async (event) => {
      const decision = await apply(event)
      const { rule, details } = await explanationOf(plugins.transforms[index], event)
      const step = stepOf(stage, plugin, decision)
      currentTrace().steps.push({ ...step, ...(rule !== undefined && { rule }), details })
      return decision
    }
  }
  return {
    ...pipeline,
    receive(receive) {
      const received = pipeline.receive(receive)
      const { name } = source.definition
      const trace = currentTrace()
      trace.steps.push(stepOf(`source.${name}`, name, received))
      if (received.kind === 'pass') trace.event = received.given
      return received
    },
    transforms: pipeline.transforms.map(watchApply),
    send: watchSend(`sink.${sinkPlugin}`, false, pipeline.send),
    deadLetters: deadLetters && {
      ...deadLetters,
      send: watchSend('dead-letter', true, deadLetters.send),
    },
  }
}

/** That a plugin cannot explain itself changes nothing about what it decided. */
async function explanationOf(transform: Transform | undefined, event: Event): Promise<Explanation> {
  try {
    return (await transform?.explain?.(event)) ?? { details: [] }
  } catch (thrown) {
    const { message } = asHeadgateError(thrown, 'Explaining')
    return { details: [{ name: 'explanation', result: message, looked: [] }] }
  }
}
