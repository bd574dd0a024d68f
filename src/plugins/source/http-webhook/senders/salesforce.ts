import type { Sender } from './sender.js'

export const salesforce: Sender = {
  name: 'salesforce',
  title: 'Salesforce Marketing Cloud Engagement (Event Notification Service)',
  documentation: 'https://developer.salesforce.com/docs/marketing/marketing-cloud/guide/ens-verify.html',
  event: {
    body: [
      {
        eventCategoryType: 'TransactionalSendEvents.EmailSent',
        timestampUTC: 1_769_860_800_000,
        definitionKey: 'order-confirmation',
        mid: 7_279_510,
      },
    ],
    differsAt: '/0/compositeId',
  },
  settings: {
    eventId: 'digest',
    verify: { scheme: 'hmac', header: 'x-sfmc-ens-signature', encoding: 'base64', secretEncoding: 'base64' },
  },
  secrets: ['/verify/secrets'],
  secret: 'The signature key of the callback.',
  notes: [
    'Data 360 signs in the same way in the header x-signature, with the key as it is: set "verify": {"header": "x-signature", "secretEncoding": "utf8"}.',
    'A request brings a batch, which is one event here.',
    'The first request has a verification key for the API call that verifies the callback; it is an event here.',
  ],
}
