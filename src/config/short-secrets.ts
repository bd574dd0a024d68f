import type { Unplaced } from './lint-names.js'
import type { SecretValue } from './secret-values.js'

const FEW = 8

/** One ordinary word, which other texts will have too. */
const WORD = /^\p{L}{1,11}$/u

/** Secrets that can be guessed, and cannot be told from what else a log says. `names`: what this config calls its things. */
export function* shortSecrets(
  secrets: readonly SecretValue[],
  names: ReadonlySet<string>,
): Generator<Unplaced> {
  for (const { pointer, value, brought } of secrets) {
    const why = !brought ? undefined : weakness(value, names)
    if (why === undefined) continue
    yield {
      pointer,
      name: 'secret-short',
      message: `This secret ${why}: it can be guessed, and cannot be told from ordinary words in logs and answers.`,
      suggestion: 'Choose a long random one, as "openssl rand -hex 32" makes it.',
    }
  }
}

function weakness(secret: string, names: ReadonlySet<string>): string | undefined {
  if (secret.length < FEW) return `has fewer than ${FEW} characters`
  if (names.has(secret)) return 'is also a name in this config'
  if (WORD.test(secret)) return 'is one word'
  return undefined
}
