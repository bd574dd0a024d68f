import type { Sender } from './sender.js'

export const microsoftGraph: Sender = {
  name: 'microsoft-graph',
  title: 'Microsoft Graph change notifications',
  documentation: 'https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks',
  settings: {
    eventId: 'new',
    responseTimeout: '2500ms',
    verify: { scheme: 'body-field', at: '/value/*/clientState' },
    handshake: { form: 'query', method: 'POST', parameter: 'validationToken', verified: false },
  },
  secrets: ['/verify/secrets'],
  secret: 'The clientState of the subscription, a text of your own.',
  timeLimit: '3s',
  notes: [
    'A request brings a batch, which is one event here. Notifications have no id, and two can have the same bytes: a redelivery is a second record.',
  ],
}
