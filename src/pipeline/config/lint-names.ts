import type { AnyDefinition, LintMeaning } from '../../plugin.js'

/** What is looked for across stages. What concerns one stage alone belongs to its plugin. */
export const LINTS = {
  'secret-in-clear': {
    meaning: 'A secret is written in the file itself.',
    why: 'The file ends up in version control, backups and tickets. Put the secret into a variable or a file and refer to it: `${env:NAME}`, `${file:/path}`.',
  },
  'reference-padded': {
    meaning: 'What a `${...}` reference stands for begins or ends with white space or is wrapped in quotes.',
    why: 'It is used exactly as it is, and secrets and addresses rarely have either. An env file of Docker keeps quotes, and `echo` ends a secret with a line end.',
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
} as const satisfies Readonly<{ [name: string]: LintMeaning }>

export type LintName = keyof typeof LINTS

/** Every name that a warning can have: ours, and those of the plugins. */
export const lintNames = (plugins: readonly Pick<AnyDefinition, 'lints'>[]): ReadonlySet<string> =>
  new Set([...Object.keys(LINTS), ...plugins.flatMap(({ lints }) => Object.keys(lints ?? {}))])

/** Those of them that only a look at the outside can find. */
export const outsideNames = (plugins: readonly Pick<AnyDefinition, 'lints'>[]): ReadonlySet<string> =>
  new Set(
    plugins.flatMap(({ lints }) =>
      Object.entries(lints ?? {}).flatMap(([name, { outside }]) => (outside ? [name] : [])),
    ),
  )
