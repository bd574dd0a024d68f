import type { Sender } from './sender.js'

export const svix: Sender = {
  name: 'svix',
  title: 'Svix, and senders that use it (Clerk, Resend)',
  documentation: 'https://docs.svix.com/receiving/verifying-payloads/how-manual',
  event: {
    body: {
      type: 'user.created',
      data: { id: 'user_29w83sxmDNGwOuEthce5gg56FcC', email: 'ada@example.com' },
    },
  },
  settings: {
    eventId: 'header:svix-id',
    responseTimeout: '14s',
    verify: { scheme: 'standard-webhooks', headerPrefix: 'svix-' },
  },
  secrets: ['/verify/secrets'],
  secret: 'The signing secret of the endpoint, which begins with "whsec_".',
  timeLimit: '15s',
  retries:
    'Svix delivers again after 5 seconds, 5 minutes, 30 minutes, and 2, 5, 10 and 10 hours; it disables an endpoint that fails for five days.',
  retriesAt: ['https://docs.svix.com/retries'],
  notes: [],
}
