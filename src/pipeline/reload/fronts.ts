import type { CheckedConfig } from '../../config/read.js'
import type { Pipeline } from '../pipeline.js'

/** A config that is to take the place of the one that runs. */
export interface NextConfig {
  readonly config: CheckedConfig
  /** Built of it in this process, in its order. */
  readonly pipelines: readonly Pipeline[]
  /** Stages that are to be made anew although the config says the same of them. */
  readonly anew: readonly { readonly pipeline: string; readonly stage: string }[]
}

/**
 * The workers, as a reload takes them along: whole or not at all. In this order: `prepare`, `arm`, `commit`; `abandon` in
 * place of any of them that has not come.
 */
export interface Fronts {
  /** Starts what the next config has beside what runs. Rejects where a worker cannot. */
  prepare(next: NextConfig): Promise<void>
  /** Holds back, takes paths over. Afterwards nothing can fail any more. */
  arm(): Promise<void>
  /** Events come under the next config from now on, and for a moment still under the one before. */
  commit(): void
  abandon(): void
  /** Resolves once no event comes under the config of this pipeline any more. */
  left(pipeline: Pipeline): Promise<void>
}
