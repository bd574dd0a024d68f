import type { AnyDefinition, LintMeaning } from '../contract/index.js'
import type { Warning } from './problem.js'

/** What is looked for across stages. What concerns one stage alone belongs to its plugin. */
export const LINTS = {
  'secret-in-clear': {
    meaning: 'A secret is written in the file itself.',
    why: 'The file ends up in version control, backups and tickets. Put the secret into a variable or a file and refer to it: `${env:NAME}`, `${file:/path}`.',
  },
  'secret-short': {
    meaning: 'A secret has fewer than 8 characters, or is one ordinary word or a name of this config.',
    why: 'It can be guessed. In logs and answers, secrets of fewer than 12 characters are replaced only where they stand alone, since they cannot be told from parts of other words, and those of fewer than 4 are not replaced. `openssl rand -hex 32` makes a good one.',
  },
  'reference-padded': {
    meaning: 'What a `${...}` reference stands for begins or ends with white space or is wrapped in quotes.',
    why: 'It is used exactly as it is, and secrets and addresses rarely have either. An env file of Docker keeps quotes, and `echo` ends a secret with a line end.',
  },
  'unused-secret': {
    meaning:
      'One key of a file of secrets, or one file of their folder, is named by no reference, and all others are.',
    why: 'It is left over from something, or was meant to be referred to. Reported where references name at least two others, nothing names the whole file, and just one is left: files that several programs share have more.',
  },
  'unused-variable': {
    meaning:
      'A variable of the environment is not referred to, and its name is that of another one with a slip.',
    why: 'Whoever sets it will wait for an effect in vain. Reported where the names differ by an underscore, by case, or by one letter of a longer word.',
  },
  'topic-without-rule': {
    meaning: 'No rule sends events to a topic that is named like those of at least two rules.',
    why: 'A rule for it may have been forgotten, or names another topic by mistake. Names are alike where they differ only behind the last dot, hyphen or underscore. Dead letters and retries (`.dlq`, `-retry` and so on) are left out. Silence it where something else fills the topic.',
    outside: true,
  },
  'partition-without-rule': {
    meaning: 'Rules share the partitions of a topic out among them, and some are left over.',
    why: 'No event goes to those, and whoever consumes them waits in vain. Reported where every rule that writes to the topic names its partition, and these are at least two.',
    outside: true,
  },
  'partition-shared': {
    meaning: 'Two rules write to the same partition.',
    why: 'Where each rule was given a partition to keep its events apart, theirs mix, and a burst of one delays the other. Fine where events of both rules should keep one order.',
  },
  'dead-letter-topic-routed': {
    meaning: 'A rule writes to the topic that takes dead letters.',
    why: 'Good events and dead letters cannot be told apart by their topic any more, and a replay would read both.',
  },
  'route-overridden': {
    meaning: 'A routing transform stands behind another one.',
    why: 'The later one chooses again, so that the targets of the earlier one are never used.',
  },
  'sink-unused': {
    meaning: 'No pipeline uses a sink that is declared in `sinks`.',
    why: 'It is left over, or a pipeline was meant to refer to it. Nothing is connected for it.',
  },
  'lint-failed': {
    meaning: 'A plugin failed while it looked for what is probably not meant in its settings.',
    why: 'The settings themselves are checked and fine; warnings of this stage may be missing. Please report it to the author of the plugin.',
  },
  'ignore-unknown': {
    meaning: 'A `headgate-ignore` comment has a name that is none of this page.',
    why: 'It silences nothing. This warning cannot be silenced.',
  },
  'ignore-unused': {
    meaning: 'A `headgate-ignore` comment silences nothing.',
    why: 'What it was for is gone, or it stands on another line; it would hide the next mistake. This warning cannot be silenced.',
  },
} satisfies Readonly<{ [name: string]: LintMeaning }>

export type LintName = keyof typeof LINTS

/** A warning of one of these, before its line in the file is looked up. */
export type Unplaced = Omit<Warning, 'location' | 'name'> & { readonly name: LintName }

/** What a file or a variable holds here it may not hold elsewhere, so that a comment on it may have nothing to silence. */
const OF_SURROUNDINGS: readonly LintName[] = [
  'secret-short',
  'reference-padded',
  'unused-secret',
  'unused-variable',
]

/** Every name that a warning can have: ours, and those of the plugins. */
export const lintNames = (plugins: readonly Pick<AnyDefinition, 'lints'>[]): ReadonlySet<string> =>
  new Set([...Object.keys(LINTS), ...plugins.flatMap(({ lints }) => Object.keys(lints ?? {}))])

/** Those of them that the file alone cannot tell. */
export const outsideNames = (plugins: readonly Pick<AnyDefinition, 'lints'>[]): ReadonlySet<string> => {
  const declared: (Readonly<{ [name: string]: LintMeaning }> | undefined)[] = [
    LINTS,
    ...plugins.map(({ lints }) => lints),
  ]
  const outside = declared.flatMap((lints) =>
    Object.entries(lints ?? {}).flatMap(([name, { outside }]) => (outside ? [name] : [])),
  )
  return new Set([...OF_SURROUNDINGS, ...outside])
}
