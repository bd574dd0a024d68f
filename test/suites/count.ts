import { expect, it } from 'vitest'

declare module 'vitest' {
  interface TaskMeta {
    /** A published suite that ran, for the lines at the end of a run. */
    publishedSuite?: PublishedSuite
  }
}

export interface PublishedSuite {
  readonly name: string
  readonly cases: number
  /** Cases that are decided otherwise on purpose, each listed with its reason where the suite runs. */
  readonly exceptions: number
}

/** Declares a test that fails where the suite has no cases, and has the run print how many there were. */
export function countSuite(name: string, cases: number, exceptions = 0): void {
  it(`${name} has cases`, ({ task }) => {
    expect(cases).toBeGreaterThan(0)
    task.meta.publishedSuite = { name, cases, exceptions }
  })
}
