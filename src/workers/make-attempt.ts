import { asHeadgateError } from '../contract/errors.js'
import type { BuiltStage } from '../pipeline/stage.js'
import { type AttemptedMessage, type AttemptMessage, toAttemptedMessage } from './attempt-message.js'

/** In a worker: one attempt. `answer` is told what came of it. Never throws. */
export async function makeAttempt(
  { plugin, instance }: Pick<BuiltStage<'post-commit'>, 'plugin' | 'instance'>,
  { number, committed }: AttemptMessage,
  answer: (message: AttemptedMessage) => void,
): Promise<void> {
  try {
    answer(toAttemptedMessage(number, await instance.acknowledge(committed), plugin))
  } catch (thrown) {
    const error = asHeadgateError(thrown, plugin)
    answer(toAttemptedMessage(number, { kind: 'retry', error }, plugin))
  }
}
