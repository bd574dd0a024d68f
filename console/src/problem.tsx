import { connection } from './api/live.js'

interface ProblemProps {
  /** Undefined if there is none. */
  readonly text: string | undefined
  readonly intro?: string
}

/** The reason why a view is not as it should be. A lost connection is said once, above every view. */
export const Problem = ({ text, intro = '' }: ProblemProps) =>
  text === undefined || text === connection.value.lost ? null : (
    <p class="notice unavailable" role="alert">
      {intro}
      {text}
    </p>
  )
