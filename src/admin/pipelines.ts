import type { CheckedPipeline } from '../config/checked-pipeline.js'
import type { PrimaryPipeline } from '../pipeline/pipeline.js'
import type { PipelineShape, StageShape } from './api.js'

/** The pipelines as their config describes them. */
export function pipelineShapes(
  checked: readonly CheckedPipeline[],
  running: readonly PrimaryPipeline[],
): PipelineShape[] {
  return running.flatMap((pipeline) => {
    const config = checked.find(({ name }) => name === pipeline.name)
    return config === undefined ? [] : [shapeOf(config, pipeline)]
  })
}

function shapeOf(checked: CheckedPipeline, pipeline: PrimaryPipeline): PipelineShape {
  const { source, transforms, sink, postCommit } = pipeline.stages
  const { deadLetter, inbox } = checked.settings
  return {
    name: pipeline.name,
    state: pipeline.runtime.targetState,
    shared: inbox !== undefined || source.instance.records !== undefined,
    source: stageOf(source),
    transforms: transforms.map((built, index) => {
      const { definition, config } = checked.transforms[index] as CheckedPipeline['transforms'][number]
      return { ...stageOf(built), rules: definition.rules?.(config) ?? [] }
    }),
    sink: stageOf(sink),
    ...(deadLetter !== undefined && { deadLetter }),
    postCommit: postCommit.map(stageOf),
  }
}

const stageOf = ({ name, plugin }: { readonly name: string; readonly plugin: string }): StageShape => ({
  stage: name,
  plugin,
})
