import type { Sender } from './sender.js'

export const microsoftGraph: Sender = {
  name: 'microsoft-graph',
  title: 'Microsoft Graph change notifications',
  documentation: 'https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks',
  event: {
    body: {
      value: [
        {
          subscriptionId: '7f105c7d-2dc5-4530-97cd-4e7ae6534c07',
          changeType: 'created',
          resource: 'users/8e6f8f5c/messages/AAMkADU',
          tenantId: '84bd8158-6d4d-4958-8b9f-9d6445542f95',
        },
        {
          subscriptionId: '7f105c7d-2dc5-4530-97cd-4e7ae6534c07',
          changeType: 'updated',
          resource: 'users/8e6f8f5c/messages/AAMkADV',
          tenantId: '84bd8158-6d4d-4958-8b9f-9d6445542f95',
        },
      ],
    },
  },
  settings: {
    eventId: 'new',
    split: { at: '/value' },
    responseTimeout: '2500ms',
    verify: { scheme: 'body-field', at: '/value/*/clientState' },
    handshake: { form: 'query', method: 'POST', parameter: 'validationToken', verified: false },
  },
  secrets: ['/verify/secrets'],
  secret: 'The clientState of the subscription, a text of your own.',
  timeLimit: '3s',
  retries:
    'Microsoft Graph delivers again for up to four hours, at growing intervals. If too many responses are slow or fail, it drops notifications.',
  retriesAt: ['https://learn.microsoft.com/graph/change-notifications-delivery-webhooks'],
  notes: [
    'A subscription expires: renew it, or Microsoft Graph sends nothing more.',
    'A request brings a batch; each notification is an event here. The id of notifications is optional, and two can have the same bytes: a redelivery is a second record.',
    'Notifications with resource data come with validationTokens, which are beside the notifications and not in their records. If you need them, a request is one event with "split": {"enabled": false}.',
  ],
}
