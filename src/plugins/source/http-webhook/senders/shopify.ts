import type { Sender } from './sender.js'

export const shopify: Sender = {
  name: 'shopify',
  title: 'Shopify',
  documentation: 'https://shopify.dev/docs/apps/build/webhooks/subscribe/https',
  settings: {
    eventId: 'header:X-Shopify-Webhook-Id',
    responseTimeout: '4s',
    verify: { scheme: 'hmac', header: 'X-Shopify-Hmac-SHA256', encoding: 'base64' },
  },
  secrets: ['/verify/secrets'],
  secret: 'The client secret of the app.',
  timeLimit: '5s',
  notes: [
    'Shopify tries eight times in four hours, and then deletes the subscription.',
    'The kind of an event is in the header X-Shopify-Topic only.',
  ],
}
