import { definePlugin } from '../../../contract/index.js'
import { bytes } from '../../../lib/units.js'
import { handshakeProblems, LINTS, verifyFindings, verifyProblems } from './checks.js'
import { ensuredBy, idHeaders } from './event-id.js'
import { settings } from './settings.js'
import { HttpWebhook } from './source.js'

export const httpWebhook = definePlugin({
  kind: 'source',
  name: 'http-webhook',
  summary: 'Accepts events by HTTP from verified senders, and responds once they are durable.',
  config: settings,
  check: (config, { exposed }) => [...verifyProblems(config, exposed), ...handshakeProblems(config)],
  lints: LINTS,
  lint: ({ verify, eventId }) => verifyFindings(verify, idHeaders(eventId)),
  ensures: ({ eventId }) => ensuredBy(eventId),
  unverified: (config) => ({ ...config, verify: { scheme: 'none' as const } }),
  maxBody: ({ maxBody }) => bytes(maxBody),
  claims: ({ path }) => [{ at: '/path', claim: `path ${path}` }],
  create: (config, context) => new HttpWebhook(config, context),
})
