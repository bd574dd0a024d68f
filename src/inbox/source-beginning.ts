import { HeadgateError } from '../contract/errors.js'
import type { Log, RecordLog } from '../contract/index.js'
import { moveFrom, warnOfLeftBehind } from '../ledger/former-topics.js'

export interface SourceBeginningOptions {
  /** All topics of the source. */
  readonly topics: readonly string[]
  readonly logger: Log
}

/** The first work of a source with topics, once for all of them. */
export class SourceBeginning {
  readonly #options: SourceBeginningOptions
  #checked: Promise<void> | undefined

  constructor(options: SourceBeginningOptions) {
    this.#options = options
  }

  /**
   * Called before an instance joins the group of a topic. Rejects while an instance works off topics that the pipeline had
   * before, or something in them is left to do that only such an instance can; that ends without this one, so it is no error of
   * the config.
   */
  requireNothingLeft(log: RecordLog): Promise<void> {
    this.#checked ??= this.#check(log).catch((error: unknown) => {
      this.#checked = undefined
      throw error
    })
    return this.#checked
  }

  async #check(log: RecordLog): Promise<void> {
    const { topics, logger } = this.#options
    const former = await log.formerTopics?.(topics)
    // Instances that start together leave the topics once, and the first of them is in the group before the last has looked.
    if (former === undefined || former.isLeft) return
    const { obstacle, leftBehind } = await moveFrom(former)
    if (obstacle !== undefined)
      throw new HeadgateError(
        'HG_LEDGER_INBOX',
        `The pipeline had an inbox, or its source had other topics, and cannot go on with ${topics.map((topic) => `"${topic}"`).join(', ')} yet: ${obstacle}.`,
      )
    // The records in the targets are not those of a pipeline without an inbox, whose acknowledgements such a position would tell.
    await former.leave([])
    warnOfLeftBehind(logger, leftBehind)
  }
}
