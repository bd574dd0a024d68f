import type { Sender } from './sender.js'

export const cxoneStudio: Sender = {
  name: 'cxone-studio',
  title: 'NICE CXone Studio (REST API action)',
  documentation: 'https://help.nicecxone.com/content/studio/actions/restproxy/restproxy.htm',
  event: {
    body: { eventType: 'CallEnded', skill: 'support', region: 'eu-west' },
    differsAt: '/contactId',
  },
  settings: { responseTimeout: '60s', verify: { scheme: 'bearer' } },
  secrets: ['/verify/tokens'],
  secret: 'A text of your own: the script sets the header Authorization to "Bearer" and this text.',
  timeLimit: '90s',
  needs: {
    eventId: 'The script decides what identifies an event, for example "/contactId" or "header:X-Event-Id".',
  },
  notes: ['The script has to set Content-Type to application/json.', 'CXone tries twice again at most.'],
}
