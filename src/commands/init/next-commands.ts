import { join } from 'node:path'
import { CONFIG, ENVIRONMENT, EXAMPLE_EVENT, quoted } from './files.js'
import { exampleEvent } from './scenarios.js'
import type { Answers } from './senders.js'

/** The commands that lead from the new files to a first event in Kafka. */
export function nextCommands(answers: Answers, folder: string): string {
  const { sender } = answers
  const at = (path: string): string => quoted(folder === '.' ? `./${path}` : join(folder, path))
  const toFill = sender.variables.filter(({ secret }) => secret === undefined).map(({ name }) => name)
  return [
    `${at(ENVIRONMENT)} has a new secret: give it to your sender, or replace it by the one that your sender shows.`,
    ...(toFill.length === 0 ? [] : [`Fill in ${toFill.join(', ')} there.`]),
    'Next:',
    '',
    ...(folder === '.' ? [] : [`  export HEADGATE_CONFIG=${at(CONFIG)}`]),
    `  set -a; . ${at(ENVIRONMENT)}; set +a`,
    '  headgate validate           # the config is right',
    '  headgate test               # the scenarios pass',
    `  headgate explain ${at(EXAMPLE_EVENT)}`,
    '  headgate topics --create    # the topics exist',
    '  headgate run',
    ...request(answers, at(EXAMPLE_EVENT)),
    '',
  ].join('\n')
}

/** A request of the sender as a shell command; none if the shell cannot make its proof. */
function request(answers: Answers, event: string): string[] {
  const { path, sender } = answers
  const proof = sender.shellProof?.(answers, event)
  if (proof === undefined) return []
  const { headers } = exampleEvent(answers, 'example-1')
  const words = [
    `curl -i http://127.0.0.1:8080${quoted(path)}`,
    "-H 'Content-Type: application/json'",
    ...Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`),
    ...proof,
    `--data-binary @${event}`,
  ]
  return [
    '',
    'Then, in another terminal with the same variables, an event:',
    '',
    `  ${words.join(' \\\n    ')}`,
  ]
}
