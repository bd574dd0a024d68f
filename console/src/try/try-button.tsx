import { fill } from './trial.js'

interface TryButtonProps {
  readonly draft: Parameters<typeof fill>[0]
}

/** Leads to the view Try, with an event that was there before. */
export const TryButton = ({ draft }: TryButtonProps) => (
  <button
    type="button"
    class="plain"
    onClick={() => {
      fill(draft)
      location.hash = '#/try'
    }}
  >
    Try it
  </button>
)
