import type { Sender } from './sender.js'

/** Salesforce takes anything else for a failure, and sends the message again. */
const ACK = {
  status: 200,
  body: '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>',
  headers: { 'content-type': 'text/xml; charset=utf-8' },
}

const notification = (sObject: object): object => ({
  sObject: {
    '@xsi:type': 'sf:Opportunity',
    '@xmlns:sf': 'urn:sobject.enterprise.soap.sforce.com',
    ...sObject,
  },
})

export const salesforceOutbound: Sender = {
  name: 'salesforce-outbound',
  title: 'Salesforce outbound messages',
  documentation:
    'https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_notifications.htm',
  event: {
    headers: { 'Content-Type': 'text/xml; charset=utf-8', SOAPAction: '""' },
    body: {
      'soapenv:Envelope': {
        '@xmlns:soapenv': 'http://schemas.xmlsoap.org/soap/envelope/',
        '@xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
        'soapenv:Body': {
          notifications: {
            '@xmlns': 'http://soap.sforce.com/2005/09/outbound',
            OrganizationId: '00D24000000abcdEAA',
            ActionId: '04k24000000efghAAA',
            Notification: [
              notification({ 'sf:Id': '0062400000ijklAAA', 'sf:StageName': 'Closed Won' }),
              notification({ 'sf:Id': '0062400000mnopAAA', 'sf:StageName': 'Prospecting' }),
            ],
          },
        },
      },
    },
  },
  settings: {
    eventId: '/Id',
    split: { at: '/soapenv:Envelope/soapenv:Body/notifications/Notification' },
    responseTimeout: '30s',
    body: { formats: ['xml'] },
    verify: { scheme: 'api-key', query: 'code' },
    responses: { accepted: ACK, delivered: ACK, duplicate: ACK, dropped: ACK, 'dead-lettered': ACK },
  },
  secrets: ['/verify/keys'],
  secret: 'A text of your own, which you put behind the URL of the outbound message: "?code=...".',
  timeLimit: '60s',
  retries:
    'Salesforce keeps a message for 24 hours, and sends it again at growing intervals of two hours at most, in any order.',
  retriesAt: [
    'https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_notifications.htm',
  ],
  successes: [200],
  redelivery: 'id',
  notes: [
    'Salesforce signs nothing. It shows a client certificate if the listener asks for one: `HEADGATE_TLS_CLIENT_CA` lets only those in that you trust.',
    'A message brings up to 100 notifications; each is an event here, as JSON: "/sObject/sf:StageName". OrganizationId and ActionId are beside them, and not in their records: give each message a URL of its own, or make a request one event with "split": {"enabled": false} and "eventId": "digest".',
    'A message that is sent again can have the fields as they are by then, under the id of before: set "redelivery": {"by": "id"} in the pipeline. The later change brings a notification of its own.',
    'The response to a message that Kafka has is a SOAP envelope with Ack true.',
  ],
}
