import { readFileSync } from 'node:fs'

const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')

/** What the package says of itself. */
export const packageFacts = JSON.parse(text) as { readonly version: string; readonly description: string }
