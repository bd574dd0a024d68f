import type { AnyDefinition, LintMeaning } from '../contract/index.js'
import type { Warning } from './problem.js'

/** The lints that look at more than one stage. A plugin declares the lints for its own settings. */
export const LINTS = {
  'secret-in-clear': {
    meaning: 'A secret is written in the file itself.',
    why: 'The file ends up in version control, backups and tickets. Put the secret into a variable or a file, and refer to it: `${env:NAME}`, `${file:/path}`.',
  },
  'secret-short': {
    meaning: 'A secret has fewer than 8 characters, or is one ordinary word or a name of this config.',
    why: 'An attacker can guess it. In logs and responses, Headgate replaces a secret of fewer than 12 characters only if it stands alone, because it cannot tell the secret from a part of another word. It does not replace a secret of fewer than 4 characters. `openssl rand -hex 32` makes a good secret.',
    needs: 'machine',
  },
  'reference-padded': {
    meaning: 'The value of a `${...}` reference begins or ends with white space, or has quotes around it.',
    why: 'Headgate uses the value exactly as it is, and secrets and addresses rarely have white space or quotes around them. Docker keeps the quotes of an env file, and `echo` adds a line end to a secret.',
    needs: 'machine',
  },
  'unused-secret': {
    meaning:
      'No reference names one key of a file of secrets, or one file of a folder of secrets, and references name all the others.',
    why: 'Nothing needs it any more, or a reference to it was forgotten. Reported if references name at least two others, nothing names the whole file, and only one is left: a file that several programs share has more keys that this config does not use.',
    needs: 'machine',
  },
  'unused-variable': {
    meaning:
      'No reference names an environment variable, and its name looks like a typo of one that a reference names.',
    why: 'Setting the variable has no effect. Reported if the names differ by an underscore, by case, or by one letter of a longer word.',
    needs: 'machine',
  },
  'topic-without-rule': {
    meaning: 'No rule sends events to a topic whose name is like those of the topics of at least two rules.',
    why: 'The rule for the topic may have been forgotten, or a rule names another topic by mistake. Two names are alike if they differ only after the last dot, hyphen or underscore. Topics for dead letters and retries (`.dlq`, `-retry` and so on) are not reported. Silence this warning if another program fills the topic.',
    needs: 'cluster',
  },
  'partition-without-rule': {
    meaning: 'Each rule for a topic names a partition, and some partitions have no rule.',
    why: 'No event goes to those partitions, so their consumers receive nothing. Reported if every rule that writes to the topic names a partition, and the rules name at least two different ones.',
    needs: 'cluster',
  },
  'partition-shared': {
    meaning: 'Two rules write to the same partition.',
    why: 'If each rule names a partition to keep its events apart, the events of these two are mixed, and a burst of one rule delays the events of the other. It is fine if the events of both rules should keep one order.',
  },
  'dead-letter-topic-routed': {
    meaning: 'A rule writes to the topic for dead letters.',
    why: 'The topic no longer tells good events and dead letters apart, and a replay would read both.',
  },
  'route-overridden': {
    meaning: 'A routing transform follows another one.',
    why: 'The later transform chooses again, so the targets of the earlier one are never used.',
  },
  'request-not-available': {
    meaning: 'A stage reads a part of the request, and the source of its pipeline takes no HTTP requests.',
    why: 'There is nothing to read: a rule on it never matches, and a key that is taken from it is missing. Read the value from the body.',
  },
  'header-not-sent': {
    meaning: 'A stage reads a header that the documentation of the `sender` does not name.',
    why: 'The name probably has a typo, or is of another sender. Silence this warning if a proxy adds the header.',
  },
  'sink-unused': {
    meaning: 'No pipeline uses a sink that is declared in `sinks`.',
    why: 'Nothing needs it any more, or a reference to it was forgotten. Headgate does not connect a sink that no pipeline uses.',
  },
  'lint-failed': {
    meaning: 'A plugin failed while it looked for probable mistakes in its settings.',
    why: 'The settings themselves are valid; warnings of this stage may be missing. Please report it to the author of the plugin.',
  },
  'ignore-unknown': {
    meaning: 'A `headgate-ignore` comment has a name that this page does not list.',
    why: 'It silences nothing. This warning cannot be silenced.',
  },
  'ignore-unused': {
    meaning: 'A `headgate-ignore` comment silences nothing.',
    why: 'The mistake is gone, or is on another line; the comment would hide the next mistake. This warning cannot be silenced.',
  },
} satisfies Readonly<{ [name: string]: LintMeaning }>

export type LintName = keyof typeof LINTS

/** A warning without its line in the file. */
export type Unplaced = Omit<Warning, 'location' | 'name'> & { readonly name: LintName }

/** Every lint by its name: those above, and those that the plugins declare. */
export type LintTable = ReadonlyMap<string, LintMeaning>

export const lintTable = (plugins: readonly Pick<AnyDefinition, 'lints'>[]): LintTable =>
  new Map([LINTS, ...plugins.map(({ lints }) => lints ?? {})].flatMap((lints) => Object.entries(lints)))
