import type { Sender } from './sender.js'

export const eventGrid: Sender = {
  name: 'event-grid',
  title: 'Azure Event Grid (its own event schema)',
  documentation:
    'https://learn.microsoft.com/en-us/azure/event-grid/end-point-validation-event-grid-events-schema',
  event: {
    headers: { 'aeg-event-type': 'Notification' },
    body: [
      {
        topic: '/subscriptions/1/resourceGroups/shop/providers/Microsoft.Storage/storageAccounts/orders',
        subject: '/blobServices/default/containers/in/blobs/o-1042.json',
        eventType: 'Microsoft.Storage.BlobCreated',
        eventTime: '2026-01-31T12:00:00Z',
        data: { api: 'PutBlockList', contentLength: 524_288 },
        dataVersion: '',
        metadataVersion: '1',
      },
      {
        topic: '/subscriptions/1/resourceGroups/shop/providers/Microsoft.Storage/storageAccounts/orders',
        subject: '/blobServices/default/containers/in/blobs/o-1043.json',
        eventType: 'Microsoft.Storage.BlobCreated',
        eventTime: '2026-01-31T12:00:01Z',
        data: { api: 'PutBlockList', contentLength: 1024 },
        dataVersion: '',
        metadataVersion: '1',
      },
    ],
  },
  settings: {
    eventId: '/id',
    split: { at: '' },
    responseTimeout: '29s',
    verify: { scheme: 'api-key', query: 'code' },
    handshake: {
      form: 'body',
      when: { '/0/eventType': 'Microsoft.EventGrid.SubscriptionValidationEvent' },
      value: '/0/data/validationCode',
      member: 'validationResponse',
    },
  },
  secrets: ['/verify/keys'],
  secret:
    'A text of your own, which you put behind the URL of the subscription: "?code=...". Event Grid does not show it to readers of the subscription.',
  timeLimit: '30s',
  retries:
    'Event Grid delivers again for 24 hours and at most 30 times, at growing intervals, unless the response is 400, 401, 403 or 413; then the event is a dead letter of Event Grid if the subscription has a place for them, and lost otherwise.',
  retriesAt: ['https://learn.microsoft.com/azure/event-grid/delivery-and-retry'],
  successes: [200, 201, 202, 203, 204],
  otherSchemes: ['jwt'],
  notes: [
    'A request is an array of events: of one, unless batching is on. Each is an event here. Leave "Preferred batch size in kilobytes" below 900, because Event Grid does not deliver again after 413.',
    'A subscription with the CloudEvents schema is the sender "cloudevents".',
    'If Event Grid authenticates with Microsoft Entra, use "verify": {"scheme": "jwt", ...} instead of `secrets`.',
  ],
}
