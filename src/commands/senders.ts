import { didYouMean } from '../config/problem.js'
import { printable } from '../lib/terminal/text.js'
import { expandSender } from '../plugins/source/http-webhook/senders/expand.js'
import { SENDERS, senderOf } from '../plugins/source/http-webhook/senders/index.js'
import type { Sender } from '../plugins/source/http-webhook/senders/sender.js'
import { type Command, EXIT } from './command.js'

export const sendersCommand: Command = {
  name: 'senders',
  summary: 'Lists the senders of webhooks that Headgate knows, or shows the settings of one.',
  details: `A source of the plugin "http-webhook" names its sender: "sender": "github". That stands for the settings that this command
prints. Each of them can be overridden in the config, or left out by null.

  headgate senders
  headgate senders stripe`,
  arguments: [
    {
      name: '[name]',
      description: 'The sender whose settings are shown.',
      choices: SENDERS.map(({ name }) => name),
    },
  ],
  options: [],
  async run({ arguments: [name] }, io) {
    if (name === undefined) {
      io.out(`${list()}\n\n"headgate senders NAME" shows the settings of one.\n`)
      return EXIT.ok
    }
    const sender = senderOf(name)
    if (sender === undefined) {
      io.err(`${unknownSender(name)}\n`)
      return EXIT.usage
    }
    io.out(describe(sender))
    return EXIT.ok
  },
}

/** The error for a name that no sender has. */
export function unknownSender(name: string): string {
  const names = SENDERS.map((each) => each.name)
  const hint = didYouMean(name, names)?.suggestion ?? `Expected one of ${names.join(', ')}.`
  return `There is no sender ${JSON.stringify(printable(name))}. ${hint}`
}

function list(): string {
  const wide = Math.max(...SENDERS.map(({ name }) => name.length))
  return SENDERS.map(({ name, title }) => `${name.padEnd(wide)}  ${title}`).join('\n')
}

function describe({
  name,
  title,
  documentation,
  secret,
  timeLimit,
  retries,
  retriesAt,
  successes,
  needs = {},
  notes,
}: Sender): string {
  return `${[
    `${title}`,
    documentation,
    '',
    `"sender": ${JSON.stringify(name)} stands for`,
    '',
    JSON.stringify(spelledOut(name), undefined, 2),
    '',
    `secrets: ${secret}`,
    ...(timeLimit === undefined ? [] : [`The sender waits ${timeLimit} for a response.`]),
    ...(successes === undefined ? [] : [`It takes ${successes.join(', ')} for a success, and nothing else.`]),
    `${retries} (${retriesAt.join(', ')})`,
    ...Object.entries(needs).map(([setting, why]) => `Add "${setting}". ${why}`),
    ...notes,
  ].join('\n')}\n`
}

/** The settings as they would be written without `sender`. */
function spelledOut(name: string): object {
  const { config } = expandSender({ sender: name, secrets: ['${env:SECRET}'] })
  const { sender: _, ...settings } = config as { readonly [setting: string]: unknown }
  return settings
}
