import type { CheckedPipeline } from '../config/checked-pipeline.js'
import type { CheckedConfig } from '../config/read.js'
import type { Outcome } from '../contract/index.js'
import { InFlight } from '../lib/async.js'
import { buildIntake, type IntakeDeps } from '../pipeline/build-intake.js'
import type { Decided } from '../pipeline/decision.js'
import type { EventContext } from '../pipeline/event-log.js'
import type { AttemptingStage, WorkerPipeline } from '../pipeline/pipeline.js'
import type { BuiltStage } from '../pipeline/stage.js'

export interface WorkerPipelineDeps extends IntakeDeps {
  /** Has the primary process commit an event. Never rejects. The context must not be used afterwards. */
  commit(pipeline: WorkerPipeline, decided: Decided, context: EventContext): Promise<Outcome>
}

/** Builds the pipeline of a worker. As `buildPipeline`, which builds a whole one. */
export function buildWorkerPipeline(
  config: CheckedConfig,
  checked: CheckedPipeline,
  deps: WorkerPipelineDeps,
  running?: WorkerPipeline,
  isRestarted: (stage: BuiltStage) => boolean = () => false,
): WorkerPipeline {
  const { intake } = buildIntake(config, checked, deps, running, isRestarted)
  const postCommit = intake.stages.postCommit.map((stage, index) =>
    attempting(stage, running?.stages.postCommit[index]),
  )
  const pipeline: WorkerPipeline = {
    role: 'deciding',
    ...intake,
    stages: { ...intake.stages, postCommit },
    commit: (decided, context) => deps.commit(pipeline, decided, context),
  }
  return pipeline
}

const attempting = (
  stage: BuiltStage<'post-commit'>,
  running: AttemptingStage | undefined,
): AttemptingStage => (stage === running ? running : { ...stage, attempts: new InFlight() })
