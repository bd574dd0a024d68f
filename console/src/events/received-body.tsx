import { useMemo } from 'preact/hooks'
import type { ReceivedBody as Received } from '../../../src/tap/line.js'
import { download } from '../download.js'
import { count } from '../format.js'
import { Preformatted } from '../scrollable.js'
import { bytesOf, hexText } from './hex-text.js'

interface ReceivedBodyProps {
  readonly body: Received
  /** Of the file, if its bytes are saved. */
  readonly name: string
}

/** A body that is not JSON, as it was received: as text, or as its first bytes. */
export function ReceivedBody({ body, name }: ReceivedBodyProps) {
  const { type, text, hex, cut, unshown } = body
  return (
    <section class="received" aria-label="As it was received">
      <p class="note body-note">
        As it was received
        {type !== undefined && (
          <>
            : <code>{type}</code>
          </>
        )}
        .{unshown !== undefined && ` It is not shown: ${unshown}`}
        {text !== undefined && cut && ' Only the beginning is shown.'}
      </p>
      {text !== undefined && <Preformatted label="Body as it was received">{text}</Preformatted>}
      {hex !== undefined && <Bytes hex={hex} isWhole={!cut} name={name} />}
    </section>
  )
}

const MOST_SHOWN = 512

/** As a text, these bytes would be changed. */
function Bytes({
  hex,
  isWhole,
  name,
}: {
  readonly hex: string
  readonly isWhole: boolean
  readonly name: string
}) {
  const bytes = useMemo(() => bytesOf(hex), [hex])
  const more = !isWhole || bytes.length > MOST_SHOWN
  return (
    <>
      <p class="note body-note">
        It is no text{isWhole && `, but ${count(bytes.length)} bytes`}.
        {more && ` The first ${MOST_SHOWN} are shown.`}
      </p>
      <Preformatted label="Body as it was received">{hexText(bytes.subarray(0, MOST_SHOWN))}</Preformatted>
      {isWhole && (
        <div class="row">
          <button
            type="button"
            class="plain"
            onClick={() => download(name, 'application/octet-stream', bytes)}
          >
            Download the bytes
          </button>
        </div>
      )}
    </>
  )
}
