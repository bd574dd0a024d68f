import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

// biome-ignore lint/suspicious/noExplicitAny: YAML as people write it; the schemas say what it may be
export type Manifest = any

export const read = (path: string): string => readFileSync(path, 'utf8')

/** Every file below deploy/ whose name ends so. */
export const deployFiles = (ending: string): string[] =>
  readdirSync('deploy', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join('deploy', name))
    .sort()

/** The documents of a YAML text. Throws for what is not YAML, a key that comes twice, or what a parser warns of. */
export function parseYaml(text: string): Manifest[] {
  const documents = parseAllDocuments(text, { strict: true, uniqueKeys: true })
  if (!Array.isArray(documents)) return []
  return documents.map((document) => {
    const [problem] = [...document.errors, ...document.warnings]
    if (problem !== undefined) throw problem
    return document.toJS()
  })
}

export const yamlOf = (path: string): Manifest[] => parseYaml(read(path))

/** `program` if this machine has it; otherwise undefined, and a line in the output of the tests. */
export function installed(program: string, ...check: string[]): string | undefined {
  const { error, status } = spawnSync(program, check, { stdio: 'ignore' })
  if (error === undefined && status === 0) return program
  console.log(`Skipped tests that need ${[program, ...check.slice(0, -1)].join(' ')}: this machine has none.`)
  return undefined
}

/** The output of a program, with its errors. Throws an error with that text if the program fails. */
export function outputOf(program: string, args: readonly string[], env = process.env): string {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  return stdout + stderr
}
