import { definePlugin } from '../../../contract/index.js'
import { bytes } from '../../../lib/units.js'
import { batchOfOne } from './batch-of-one.js'
import {
  bodyProblems,
  handshakeProblems,
  networkProblems,
  rateLimitProblems,
  secretsProblems,
  verifyProblems,
} from './checks.js'
import { ensuredBy, idHeaders } from './event-id.js'
import { LINTS, proxyFindings, verifyFindings } from './lint.js'
import { LIMITED } from './rate-limits.js'
import { expandSender } from './senders/expand.js'
import { senderOf } from './senders/index.js'
import { isOfSender, SENDER_LINTS, senderFindings } from './senders/lint.js'
import { settings } from './settings.js'
import { HttpWebhook } from './source.js'
import { credentialsOf } from './verify/schemes.js'

export const httpWebhook = definePlugin({
  kind: 'source',
  name: 'http-webhook',
  summary: 'Accepts events by HTTP from verified senders, and responds once they are durable.',
  config: settings,
  presets: { setting: 'sender', expand: expandSender },
  check: (config, context) => [
    ...secretsProblems(config),
    ...networkProblems(config),
    ...rateLimitProblems(config),
    ...verifyProblems(config, context),
    ...handshakeProblems(config),
    ...bodyProblems(config),
  ],
  lints: { ...LINTS, ...SENDER_LINTS },
  lint: (config, { redeliveryBy }) => [
    ...senderFindings(config, redeliveryBy),
    ...proxyFindings(config.trustedProxies),
    ...[...verifyFindings(config.verify, idHeaders(config.eventId))].filter(
      (finding) => !isOfSender(config, finding),
    ),
  ],
  ensures: ({ eventId }) => ensuredBy(eventId),
  metrics: [LIMITED],
  detached: ({ allow: _, rateLimit: __, ...config }) => config,
  unverified: (config) => ({ ...config, verify: { scheme: 'none' as const } }),
  requests: true,
  requestOf: batchOfOne,
  credentials: ({ verify }) => credentialsOf(verify),
  sends: ({ sender }) => senderOf(sender)?.headers,
  maxBody: ({ maxBody }) => bytes(maxBody),
  maxInFlight: ({ maxInFlight }) => maxInFlight,
  claims: ({ path }) => [{ at: '/path', claim: `path ${path}` }],
  create: (config, context) => new HttpWebhook(config, context),
})
