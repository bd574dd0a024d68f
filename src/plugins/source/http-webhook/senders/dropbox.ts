import type { Sender } from './sender.js'

export const dropbox: Sender = {
  name: 'dropbox',
  title: 'Dropbox',
  documentation: 'https://www.dropbox.com/developers/reference/webhooks',
  event: {
    body: {
      list_folder: { accounts: ['dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc'] },
      delta: { users: [12_345_678] },
    },
  },
  settings: {
    eventId: 'new',
    responseTimeout: '9s',
    verify: { scheme: 'hmac', header: 'X-Dropbox-Signature' },
    handshake: { form: 'query', parameter: 'challenge', verified: false },
    responses: { 'dead-lettered': { status: 200 } },
  },
  secrets: ['/verify/secrets'],
  secret: 'The app secret.',
  timeLimit: '10s',
  retries:
    'Dropbox delivers again for about ten minutes, at growing intervals, and then reports a failure in the App Console.',
  retriesAt: ['https://www.dropbox.com/developers/reference/webhooks'],
  successes: [200],
  notes: [
    'A notification only says that something changed, so two can have the same bytes: each delivery is an event, and a redelivery is a second record.',
  ],
}
