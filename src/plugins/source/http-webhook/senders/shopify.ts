import type { Sender } from './sender.js'

export const shopify: Sender = {
  name: 'shopify',
  title: 'Shopify',
  documentation: 'https://shopify.dev/docs/apps/build/webhooks/subscribe/https',
  event: {
    headers: { 'X-Shopify-Topic': 'orders/create', 'X-Shopify-Shop-Domain': 'example.myshopify.com' },
    body: {
      id: 820_982_911_946_154,
      currency: 'EUR',
      total_price: '403.00',
      line_items: [{ sku: 'IPOD2008PINK', quantity: 1 }],
    },
  },
  settings: {
    eventId: 'header:X-Shopify-Webhook-Id',
    responseTimeout: '4s',
    verify: { scheme: 'hmac', header: 'X-Shopify-Hmac-SHA256', encoding: 'base64' },
  },
  secrets: ['/verify/secrets'],
  secret: 'The client secret of the app.',
  timeLimit: '5s',
  headers: [
    'X-Shopify-API-Version',
    'X-Shopify-Event-Id',
    'X-Shopify-Hmac-SHA256',
    'X-Shopify-Name',
    'X-Shopify-Order-Id',
    'X-Shopify-Product-Id',
    'X-Shopify-Shop-Domain',
    'X-Shopify-Sub-Topic',
    'X-Shopify-Test',
    'X-Shopify-Topic',
    'X-Shopify-Triggered-At',
    'X-Shopify-Webhook-Id',
  ],
  retries:
    'Shopify delivers again eight times in four hours, and then deletes a subscription that was made by its API.',
  retriesAt: ['https://shopify.dev/changelog/updates-to-webhook-retry-mechanism'],
  notes: [
    'The kind of an event is in the header X-Shopify-Topic only: a rule reads it by "at": "header:X-Shopify-Topic".',
  ],
}
