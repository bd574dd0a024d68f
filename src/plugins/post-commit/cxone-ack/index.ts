import { definePlugin, metric } from '../../../contract/index.js'
import { problems } from './checks.js'
import { CxoneAck } from './cxone-ack.js'
import { probe } from './probe.js'
import { Settings } from './settings.js'

const TOKEN_EXPIRY = metric({
  name: 'oauth_token_expiry_timestamp_seconds',
  type: 'gauge',
  help: 'Time at which the newest access token expires; 0 before the first one.',
  combine: 'max',
})

/** Acknowledges events to CXone, with the credentials of an OAuth client. */
export const cxoneAck = definePlugin({
  kind: 'post-commit',
  name: 'cxone-ack',
  summary: 'Acknowledges events to NICE CXone over HTTP, with OAuth 2.0 tokens that it renews itself.',
  config: Settings,
  metrics: [TOKEN_EXPIRY],
  check: problems,
  probe,
  create: (config, { log, metrics, signal }) =>
    new CxoneAck(config, { log, signal, expiry: metrics.gauge(TOKEN_EXPIRY) }),
})
