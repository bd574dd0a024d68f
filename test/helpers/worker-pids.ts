import { readFileSync } from 'node:fs'

/** The workers of a Headgate process: those that it has started and that live. */
export const workerPids = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((text) => text !== '')
    .map(Number)
