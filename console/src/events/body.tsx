import { useMemo } from 'preact/hooks'
import { Preformatted } from '../scrollable.js'
import { jsonPieces } from './json-text.js'

interface BodyProps {
  /** Compact JSON, or its beginning. */
  readonly text: string
  readonly cut: boolean
  /** JSON Pointers of the places to mark. */
  readonly places?: readonly string[] | undefined
}

const NO_PLACES: readonly string[] = []

/** A body as text, whatever is in it. */
export function Body({ text, cut, places = NO_PLACES }: BodyProps) {
  const isJson = /^[[{"]/.test(text)
  const pieces = useMemo(
    () => (isJson ? jsonPieces(text, places) : [{ text, mark: undefined }]),
    [isJson, text, places],
  )
  return (
    <>
      <p class="note body-note">
        Masked and secret values are replaced.{cut && ' Only the beginning is shown.'}
      </p>
      <Preformatted label="Body">
        {pieces.map((piece, index) =>
          piece.mark === undefined ? piece.text : <mark key={index}>{piece.text}</mark>,
        )}
      </Preformatted>
    </>
  )
}
