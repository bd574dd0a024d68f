import type { Sender } from './sender.js'
import { SLACK_SIGNATURE } from './slack.js'

/** Slack shows the body of a response to the user who sent the command. */
const WITHOUT_BODY = { status: 200, body: false }

export const slackCommands: Sender = {
  name: 'slack-commands',
  title: 'Slack slash commands and interactions',
  documentation: 'https://docs.slack.dev/interactivity/implementing-slash-commands',
  event: {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: {
      team_id: 'T123ABC456',
      channel_id: 'C2147483705',
      user_id: 'U123ABC456',
      command: '/weather',
      text: '94070',
      response_url: 'https://hooks.slack.com/commands/1234/5678',
      api_app_id: 'A123456',
    },
    differsAt: '/trigger_id',
  },
  settings: {
    eventId: 'digest',
    responseTimeout: '2500ms',
    body: { formats: ['form'], jsonField: 'payload' },
    verify: SLACK_SIGNATURE,
    responses: {
      accepted: WITHOUT_BODY,
      delivered: WITHOUT_BODY,
      duplicate: WITHOUT_BODY,
      dropped: WITHOUT_BODY,
      'dead-lettered': WITHOUT_BODY,
    },
  },
  secrets: ['/verify/secrets'],
  secret: 'The "Signing Secret" in the basic information of the app.',
  timeLimit: '3s',
  headers: ['X-Slack-Signature', 'X-Slack-Request-Timestamp'],
  retries:
    'Slack does not deliver a command or an interaction again: its user sees an error, and repeats it. An `inbox` shortens the time to the response.',
  retriesAt: ['https://docs.slack.dev/interactivity/implementing-slash-commands'],
  notes: [
    'A command is a form: each field is a text at the top level, as "/command". An interaction is a form with JSON in the field "payload": "/type" then reads the JSON.',
    'An empty 200 tells Slack to show nothing. The program that reads the topic replies by the response_url of the event, for 30 minutes.',
  ],
}
