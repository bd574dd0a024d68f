import { join } from 'node:path'
import { CONFIG, ENVIRONMENT, exampleEvent, exampleFile, quoted } from './files.js'
import type { Answers, Variable } from './senders.js'
import { shellProof } from './shell-proof.js'
import { sampleSecrets, sourceSettings } from './source-settings.js'

/** The commands that lead from the new files to a first event in Kafka. `program`: the path or the name of Headgate's own. */
export function nextCommands(answers: Answers, folder: string, program: string): string {
  const headgate = quoted(program)
  const { sender } = answers
  const { path: example } = exampleFile(answers)
  const at = (path: string): string => quoted(folder === '.' ? `./${path}` : join(folder, path))
  const isOwn = ({ secret }: Variable): boolean => secret !== undefined && secret.fromSender !== true
  const toFill = sender.variables.filter((variable) => !isOwn(variable)).map(({ name }) => name)
  return [
    ...(sender.variables.some(isOwn)
      ? [
          `${at(ENVIRONMENT)} has a new secret: give it to your sender, or replace it by the one that your sender shows.`,
        ]
      : []),
    ...(toFill.length === 0 ? [] : [`Fill in ${toFill.join(', ')} in ${at(ENVIRONMENT)}.`]),
    'Next:',
    '',
    ...(folder === '.' ? [] : [`  export HEADGATE_CONFIG=${at(CONFIG)}`]),
    `  set -a; . ${at(ENVIRONMENT)}; set +a`,
    `  ${headgate} validate           # the config is right`,
    `  ${headgate} test               # the scenarios pass`,
    `  ${[headgate, 'explain', at(example), ...explained(answers)].join(' ')}`,
    `  ${headgate} topics --create    # the topics exist`,
    `  ${headgate} run`,
    ...request(answers, at(example)),
    '',
  ].join('\n')
}

const FOR_JSON = 'Content-Type: application/json'

const headersOf = (answers: Answers): string[] =>
  Object.entries(exampleEvent(answers).headers).map(([name, value]) => `${name}: ${value}`)

/** The options with which the example event is explained as far as its body does not have everything. */
function explained(answers: Answers): string[] {
  const headers = headersOf(answers).filter((header) => header !== FOR_JSON)
  if (headers.length === 0) return []
  return ['--skip-verification', ...headers.map((header) => `--header ${quoted(header)}`)]
}

/** A request of the sender as a shell command; none if the shell cannot make its proof. */
function request(answers: Answers, event: string): string[] {
  const { path, sender } = answers
  const { name = '' } = sender.variables.find(({ secret }) => secret !== undefined) ?? {}
  const proof = shellProof(sourceSettings(answers, sampleSecrets(answers)), name, event)
  if (proof === undefined) return []
  const words = [
    `curl -i http://127.0.0.1:8080${quoted(path)}`,
    ...headersOf(answers).map((header) => `-H '${header}'`),
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
