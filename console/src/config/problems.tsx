import type { Finding } from '../../../src/admin/api.js'
import { count } from '../format.js'
import { OutcomeLabel } from '../outcome.js'

interface ProblemsProps {
  readonly findings: readonly Finding[] | undefined
  /** The text was changed since. */
  readonly isChecking: boolean
  /** Why the text could not be checked. */
  readonly problem: string | undefined
  onChoose(finding: Finding): void
}

/** The problems and warnings of `headgate validate`; one that is chosen is shown in the editor. */
export function Problems({ findings, isChecking, problem, onChoose }: ProblemsProps) {
  return (
    <section class="panel problems-list" aria-label="Problems">
      <header>
        <h3>Problems</h3>
        <span role="status">
          {problem === undefined ? summary(isChecking ? undefined : findings) : 'not checked'}
        </span>
      </header>
      {problem !== undefined && <p class="refused">{problem}</p>}
      <ul>
        {findings?.map((finding) => (
          <li key={`${finding.code} ${finding.line} ${finding.column} ${finding.message}`}>
            <b class={finding.severity}>{finding.severity}</b>
            <button type="button" class="link" onClick={() => onChoose(finding)}>
              line {finding.line}
            </button>
            <code>{finding.code}</code>
            <p>{finding.message}</p>
            {finding.expected !== undefined && <p class="note">Expected: {finding.expected}.</p>}
            {finding.suggestion !== undefined && <p class="note">{finding.suggestion}</p>}
          </li>
        ))}
      </ul>
    </section>
  )
}

function summary(findings: readonly Finding[] | undefined) {
  if (findings === undefined) return 'checking …'
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const warnings = findings.length - errors
  if (errors + warnings === 0) return <OutcomeLabel kind="delivered">none</OutcomeLabel>
  return `${counted(errors, 'error')}${errors > 0 && warnings > 0 ? ', ' : ''}${counted(warnings, 'warning')}`
}

const counted = (number: number, word: string): string =>
  number === 0 ? '' : `${count(number)} ${word}${number === 1 ? '' : 's'}`
