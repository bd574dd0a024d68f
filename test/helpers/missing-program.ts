import { spawnSync } from 'node:child_process'

/**
 * The reason why tests of a program are skipped; undefined if this machine has it. Throws if HEADGATE_TEST_TOOLS=required, as in
 * CI. `check`: arguments with which it ends at once and with 0.
 */
export function missingProgram(program: string, ...check: string[]): string | undefined {
  const { error, status } = spawnSync(program, check, { stdio: 'ignore' })
  if (error === undefined && status === 0) return undefined
  const reason = `skipped, because this machine has no ${program}`
  if (process.env['HEADGATE_TEST_TOOLS'] === 'required')
    throw new Error(`${reason}, and HEADGATE_TEST_TOOLS=required`)
  console.log(reason)
  return reason
}
