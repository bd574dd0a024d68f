import { readFileSync } from 'node:fs'
import { packageFile } from './package.js'

const text = readFileSync(packageFile('package.json'), 'utf8')

/** What the package says of itself. */
export const packageFacts = JSON.parse(text) as { readonly version: string; readonly description: string }
