import type { ReceivedBody as Received } from '../../../src/tap/line.js'
import { Preformatted } from '../scrollable.js'
import { hexLines } from './hex-lines.js'

/** A body that is not JSON, as it was received: as text, or as its first bytes. */
export function ReceivedBody({ body: { type, text, hex, cut, unshown } }: { readonly body: Received }) {
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
        {hex !== undefined && ' It is no text.'}
        {cut && ' Only the beginning is shown.'}
      </p>
      {unshown === undefined && (
        <Preformatted label="Body as it was received">{text ?? hexLines(hex ?? '')}</Preformatted>
      )}
    </section>
  )
}
