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
    'Salesforce tries three times, defers the batch for up to ten minutes, and then tries for up to seven days. By an earlier version of the page, it drops the batch after the third attempt, and after two failures within five minutes also everything of the next ten minutes or more.',
  retriesAt: [
    'https://developer.salesforce.com/docs/marketing/marketing-cloud/guide/ens-retries-suspensions.html',
  ],
  successes: [200, 201, 202, 203, 204],
  notes: [
    'The first request to a new callback is not signed, and brings the key by which the API verifies the callback; it must get 200. Register while the source has "verify": {"scheme": "none"} instead of `secrets`: the request is then an event with callbackId and verificationKey.',
    'Data 360 signs in the same way in the header x-signature: set "verify": {"header": "x-signature"}.',
    'A request brings a batch of up to 1,000 items; each is an event here.',
  ],
}
