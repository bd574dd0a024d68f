import { useMemo } from 'preact/hooks'
import type { ReceivedBody } from '../../../src/tap/line.js'
import { Preformatted } from '../scrollable.js'
import { jsonPieces } from './json-text.js'

interface BodyProps {
  /** Compact JSON, or its beginning. */
  readonly text: string
  readonly cut: boolean
  /** If it was not JSON: the text is decoded from it. */
  readonly received?: ReceivedBody | undefined
  /** JSON Pointers of the places to mark. */
  readonly places?: readonly string[] | undefined
}

const NO_PLACES: readonly string[] = []

/** A body as text, whatever is in it. */
export function Body({ text, cut, received, places = NO_PLACES }: BodyProps) {
  const isJson = /^[[{"]/.test(text)
  const pieces = useMemo(
    () => (isJson ? jsonPieces(text, places) : [{ text, mark: undefined }]),
    [isJson, text, places],
  )
  return (
    <>
      <p class="note body-note">
        {received !== undefined && 'As rules and schemas see it. '}
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

/** Of a body that is not looked into, the rules see null. */
export const isUndecoded = (payload: string, received: ReceivedBody | undefined): boolean =>
  received !== undefined && payload === 'null'
