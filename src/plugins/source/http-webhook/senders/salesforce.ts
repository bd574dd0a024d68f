import type { Sender } from './sender.js'

export const salesforce: Sender = {
  name: 'salesforce',
  title: 'Salesforce Marketing Cloud Engagement (Event Notification Service)',
  documentation:
    'https://developer.salesforce.com/docs/marketing/marketing-cloud/guide/ens-notification-signing.html',
  event: {
    body: [
      {
        eventCategoryType: 'TransactionalSendEvents.EmailSent',
        timestampUTC: 1_769_860_800_000,
        definitionKey: 'order-confirmation',
        mid: 7_279_510,
      },
      {
        eventCategoryType: 'TransactionalSendEvents.EmailNotSent',
        timestampUTC: 1_769_860_801_000,
        definitionKey: 'order-confirmation',
        mid: 7_279_510,
      },
    ],
    differsAt: '/compositeId',
  },
  settings: {
    eventId: 'digest',
    responseTimeout: '2500ms',
    split: { at: '' },
    verify: { scheme: 'hmac', header: 'x-sfmc-ens-signature', encoding: 'base64' },
  },
  secrets: ['/verify/secrets'],
  secret:
    'The signature key that Salesforce shows once, when the callback is created. It is used as it is, not decoded.',
  timeLimit: '3s',
  retries:
    'Salesforce tries three times. Its pages differ on the rest: by one it then tries for up to seven days; by another it drops the batch, and after two failures within five minutes also everything of the next ten minutes or more.',
  notes: [
    'The first request to a new callback is not signed, and brings the key by which the API verifies the callback; it must get 200. Register while the pipeline has "verify": {"scheme": "none"}: the request is then an event with callbackId and verificationKey.',
    'Data 360 signs in the same way in the header x-signature: set "verify": {"header": "x-signature"}.',
    'A request brings a batch of up to 1,000 items; each is an event here.',
  ],
}
