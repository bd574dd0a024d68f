import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'jsonc-parser'
import { packageFile } from '../src/sandbox/package-files.js'
import { PIPELINE } from '../src/sandbox/routes.js'
import { SHIPPED_CONFIG } from '../src/sandbox/surroundings.js'

/** Longest wait between two attempts to acknowledge. Shorter than the default: a run waits for the last of them. */
const LONGEST_RETRY = '5s'

/**
 * Writes the shipped config into `directory`, with two changes: what is against the schema becomes a dead letter, and
 * acknowledgements are tried again sooner. Returns its path.
 */
export function writeConfig(directory: string): string {
  const text = readFileSync(SHIPPED_CONFIG, 'utf8').replaceAll('./schemas/', packageFile('schemas/'))
  const config = parse(text)
  const pipeline = config.pipelines[PIPELINE]
  pipeline.transforms[0].onError = 'dead-letter'
  pipeline.postCommit[0].retry = { initial: '100ms', max: LONGEST_RETRY }
  const path = join(directory, 'plugins.config.json')
  writeFileSync(path, JSON.stringify(config, null, 2))
  return path
}
