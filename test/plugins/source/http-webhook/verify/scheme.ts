import { parseBody } from '../../../../../src/lib/json/body.js'
import { httpWebhook } from '../../../../../src/plugins/source/http-webhook/index.js'
import { verifier } from '../../../../../src/plugins/source/http-webhook/verify/schemes.js'
import { fillDefaults } from '../../../../helpers/context.js'
import { requestWith } from '../webhook.js'

interface Sent {
  readonly headers?: { readonly [name: string]: string }
  readonly body?: string | Buffer
  readonly method?: string
  readonly url?: string
}

/** The steps that the source takes with a request, for these settings with their defaults. */
export function verifying(verify: object, source: object = {}) {
  const config = fillDefaults(httpWebhook, { path: '/in', eventId: '/id', verify, ...source })
  const { head, body: bytes, parsed } = verifier(config.verify, config.publicUrl)
  return ({ headers = {}, body = '', ...line }: Sent) =>
    () => {
      const request = requestWith(headers, line)
      const sent = Buffer.from(body)
      head?.(request)
      bytes?.(request, sent)
      parsed?.(parseBody(sent, 64))
    }
}
