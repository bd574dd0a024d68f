// Prints the part of CHANGELOG.md about a version: `node scripts/release-notes.mjs v1.2.3`. Fails if the tag is not the version of
// package.json, or if the version has no part, so that a release without notes does not begin.
import { readFileSync } from 'node:fs'

const file = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

const tag = process.argv[2] ?? ''
const { version } = JSON.parse(file('package.json'))
if (tag !== `v${version}`) fail(`The tag is "${tag}", and package.json asks for "v${version}".`)

const [, ...parts] = file('CHANGELOG.md').split(/^## /m)
const part = parts.find((text) => text.split(/\s/, 1)[0] === version)
if (part === undefined) fail(`CHANGELOG.md has no part "## ${version}": name "## Unreleased" so.`)
console.log(part.slice(part.indexOf('\n')).trim())

function fail(reason) {
  console.error(reason)
  process.exit(1)
}
