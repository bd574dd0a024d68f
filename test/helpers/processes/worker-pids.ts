import { readFileSync } from 'node:fs'

/** The live workers that a Headgate process has started. */
export const workerPids = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((text) => text !== '')
    .map(Number)
