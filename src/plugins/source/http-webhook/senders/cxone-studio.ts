import type { Sender } from './sender.js'

export const cxoneStudio: Sender = {
  name: 'cxone-studio',
  title: 'NICE CXone Studio (REST API action)',
  documentation: 'https://help.nice-incontact.com/content/studio/actionscx/rest_api/rest_api.htm',
  event: {
    body: { eventType: 'CallEnded', skill: 'support', region: 'eu-west' },
    differsAt: '/contactId',
  },
  settings: {
    responseTimeout: '60s',
    body: { formats: ['json', 'form'] },
    verify: { scheme: 'bearer' },
  },
  secrets: ['/verify/tokens'],
  secret: 'A text of your own: the script sets the header Authorization to "Bearer" and this text.',
  timeLimit: '90s',
  needs: {
    eventId: 'The script decides what identifies an event, for example "/contactId" or "header:X-Event-Id".',
  },
  retries: 'The REST API action tries twice more at most, and then the script goes on.',
  retriesAt: ['https://help.nice-incontact.com/content/studio/actionscx/rest_api/rest_api.htm'],
  notes: [
    'More than 100 requests at a time wait in a queue of CXone.',
    'Without a Content-Type of its own, the action sends a form. With JSON in the body, the script has to set it to application/json.',
  ],
}
