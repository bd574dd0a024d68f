import { cloudevents } from './cloudevents.js'
import { cxoneExpert } from './cxone-expert.js'
import { cxoneStudio } from './cxone-studio.js'
import { discord } from './discord.js'
import { dropbox } from './dropbox.js'
import { eventGrid } from './event-grid.js'
import { genesys } from './genesys.js'
import { github } from './github.js'
import { gitlab } from './gitlab.js'
import { hubspot } from './hubspot.js'
import { meta } from './meta.js'
import { microsoftGraph } from './microsoft-graph.js'
import { okta } from './okta.js'
import { paddle } from './paddle.js'
import { pagerduty } from './pagerduty.js'
import { salesforce } from './salesforce.js'
import { salesforceOutbound } from './salesforce-outbound.js'
import type { Sender } from './sender.js'
import { sendgrid } from './sendgrid.js'
import { shopify } from './shopify.js'
import { slack } from './slack.js'
import { slackCommands } from './slack-commands.js'
import { square } from './square.js'
import { standardWebhooks } from './standard-webhooks.js'
import { stripe } from './stripe.js'
import { svix } from './svix.js'
import { twilio } from './twilio.js'
import { zendesk } from './zendesk.js'
import { zoom } from './zoom.js'

/** Every sender that `sender` of the source can name. */
export const SENDERS: readonly Sender[] = [
  github,
  gitlab,
  stripe,
  shopify,
  slack,
  slackCommands,
  twilio,
  zendesk,
  salesforce,
  salesforceOutbound,
  genesys,
  pagerduty,
  okta,
  microsoftGraph,
  meta,
  zoom,
  dropbox,
  svix,
  standardWebhooks,
  cloudevents,
  eventGrid,
  sendgrid,
  discord,
  hubspot,
  square,
  paddle,
  cxoneStudio,
  cxoneExpert,
]

export const senderOf = (name: unknown): Sender | undefined => SENDERS.find((sender) => sender.name === name)
