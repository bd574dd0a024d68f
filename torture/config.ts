import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'jsonc-parser'
import { packageFile } from '../src/process/package.js'
import { PIPELINE } from '../src/sandbox/routes.js'
import { SHIPPED_CONFIG } from '../src/sandbox/sandbox.js'
import type { ConfigChange } from './schedule.js'

/** Longest wait between two attempts to acknowledge. Shorter than the default: a run waits for the last of them. */
const LONGEST_RETRY = '5s'

export const INBOX = 'cxone.data.actions.inbox'

/** The config file of an instance. */
export interface KeptConfig {
  readonly path: string
  /** Replaces it by another config with the same results for every event. */
  change(change: Pick<ConfigChange, 'stages'>): void
}

/**
 * Writes the shipped config into `directory`, with two changes: an event that does not match the schema becomes a
 * dead letter, and acknowledgements are retried sooner. With `isShared`, the pipeline has an inbox, too.
 */
export function keepConfig(directory: string, isShared: boolean): KeptConfig {
  mkdirSync(directory, { recursive: true })
  const text = readFileSync(SHIPPED_CONFIG, 'utf8').replaceAll('./schemas/', packageFile('schemas/'))
  const config = parse(text)
  const pipeline = config.pipelines[PIPELINE]
  pipeline.transforms[0].onError = 'dead-letter'
  if (isShared) pipeline.inbox = { topic: INBOX }
  pipeline.postCommit[0].retry = { initial: '100ms', max: LONGEST_RETRY }
  const path = join(directory, 'plugins.config.json')
  const write = () => {
    writeFileSync(`${path}.new`, JSON.stringify(config, null, 2))
    renameSync(`${path}.new`, path)
  }
  write()
  let changes = 0
  return {
    path,
    change({ stages }) {
      changes++
      if (stages & SOURCE) pipeline.source.config.maxInFlight = 500 + changes
      if (stages & SINK) pipeline.sink.config.properties['linger.ms'] = 1 + (changes % 5)
      if (stages & POST_COMMIT) pipeline.postCommit[0].config.connections = 10 + (changes % 5)
      write()
    },
  }
}

const SOURCE = 1
const SINK = 2
const POST_COMMIT = 4
