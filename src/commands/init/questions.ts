import type { TSchema } from 'typebox'
import { didYouMean } from '../../config/problem.js'
import { TopicName } from '../../config/schema.js'
import { checkShape } from '../../config/shape.js'
import { printable } from '../../lib/terminal/text.js'
import { SETTINGS as KAFKA } from '../../plugins/sink/kafka/settings.js'
import { settings as WEBHOOK } from '../../plugins/source/http-webhook/settings.js'
import { type Answers, type QuestionName, SENDERS, type Sender } from './senders.js'

/** A setting of the new config: asked on a terminal, or given by its flag. */
export interface Question {
  readonly name: QuestionName
  /** As commander writes it. */
  readonly flags: string
  readonly text: string
  /** Continues "should be". */
  readonly expected: string
  isValid(text: string): boolean
  /** Offered if the sender has no default of its own. `before`: the answers to the questions before this one. */
  preset(before: Answers): string
  /** Asked only for the senders that list it. */
  readonly special?: true
}

/** A text that a setting of the config accepts. */
const asIn = (schema: TSchema & { readonly expected?: string }) => ({
  expected: String(schema.expected),
  isValid: (text: string) => checkShape(schema, text).length === 0,
})

/** In the order in which they are asked, after the sender. */
export const QUESTIONS: readonly Question[] = [
  {
    name: 'topic',
    flags: '--topic <name>',
    text: 'Topic of the events',
    ...asIn(TopicName('')),
    preset: () => 'events',
  },
  {
    name: 'deadLetterTopic',
    flags: '--dead-letter-topic <name>',
    text: 'Topic of events that cannot be processed',
    ...asIn(TopicName('')),
    preset: ({ topic }) => `${topic}.dlq`,
  },
  {
    name: 'brokers',
    flags: '--brokers <addresses>',
    text: 'Addresses of Kafka',
    ...asIn(KAFKA.properties.brokers),
    preset: () => '127.0.0.1:9092',
  },
  {
    name: 'path',
    flags: '--path <url-path>',
    text: 'Path that the sender posts to',
    ...asIn(WEBHOOK.properties.path),
    preset: ({ topic }) => `/webhook/${topic}`,
  },
  {
    name: 'eventId',
    flags: '--event-id <location>',
    text: 'Location of the event id: a JSON Pointer into the body, header:NAME or query:NAME, or digest or new if there is none',
    expected: 'a JSON Pointer such as "/id", "header:NAME", "query:NAME", "digest" or "new"',
    isValid: (text) => text !== '' && checkShape(WEBHOOK.properties.eventId, text).length === 0,
    preset: () => '/id',
  },
  {
    name: 'signatureHeader',
    flags: '--signature-header <name>',
    text: 'Header with the signature ("sha256=" and hex)',
    expected: 'the name of a header such as "X-Signature"',
    isValid: (header) => checkShape(WEBHOOK.properties.eventId, `header:${header}`).length === 0,
    preset: () => 'X-Hub-Signature-256',
    special: true,
  },
  {
    name: 'publicUrl',
    flags: '--public-url <url>',
    text: 'URL at which the sender reaches the listener, without the path of the source',
    ...asIn(WEBHOOK.properties.publicUrl),
    preset: () => 'https://hooks.example.com',
    special: true,
  },
]

/** The flag without its argument. */
export const flagName = ({ flags }: { readonly flags: string }): string => flags.split(' ')[0] ?? flags

/** Whether the answer has a meaning for the sender. */
export const concerns = ({ special, name }: Question, { asks = [] }: Sender): boolean =>
  special !== true || asks.includes(name)

/** Whether the answer is needed if no flag gives it. */
export const isAsked = (question: Question, sender: Sender): boolean =>
  concerns(question, sender) && !(question.name === 'eventId' && sender.hasEventId === true)

/** The problem of an answer; undefined if it is valid. `subject`: the flag or the question. */
export const answerProblem = (
  { expected, isValid }: Question,
  subject: string,
  answer: string,
): string | undefined =>
  isValid(answer) ? undefined : `${subject} should be ${expected}; it is "${printable(answer)}".`

/** The sender of that name, or the error to print. */
export function senderNamed(name: string): Sender | string {
  const names = SENDERS.map((sender) => sender.name)
  const hint = didYouMean(name, names)?.suggestion ?? `Expected one of ${names.join(', ')}.`
  return SENDERS.find((sender) => sender.name === name) ?? `There is no sender "${printable(name)}". ${hint}`
}
