import type { ComponentChildren } from 'preact'
import type { ExplanationJson } from '../../../src/admin/api.js'
import { indented } from '../events/json-text.js'
import { plural } from '../format.js'
import { OutcomeLabel } from '../outcome.js'
import { Preformatted } from '../scrollable.js'
import { shownBytes } from './body-form.js'
import { DECISIONS, OUTCOME_OF, partitionText } from './one-event.js'

type Step = ExplanationJson['steps'][number]
type Detail = Step['details'][number]

/** The explanation of `headgate explain`, stage by stage. */
export function Steps({ explanation }: { readonly explanation: ExplanationJson }) {
  const { steps, verification } = explanation
  return (
    <section class="panel">
      <header>
        <h3>Step by step</h3>
      </header>
      <Stages steps={steps} why={verification.kind === 'skipped' ? verification.why : undefined} />
    </section>
  )
}

interface StagesProps {
  readonly steps: readonly Step[]
  /** Why the sender was not verified. */
  readonly why: string | undefined
}

/** The decision of each stage, with the values that it has seen. */
export const Stages = ({ steps, why }: StagesProps) => (
  <ol class="stages">
    {steps.map((step) => (
      <li key={step.stage}>
        <h4>
          <span class="mono">{step.stage}</span>{' '}
          <OutcomeLabel kind={OUTCOME_OF[step.decision]}>{DECISIONS[step.decision]}</OutcomeLabel>
          {step.rule !== undefined && <span>by {step.rule}</span>}
        </h4>
        <StepError step={step} />
        <Details details={step.details} why={why} />
      </li>
    ))}
  </ol>
)

function StepError({ step: { error, details } }: { readonly step: Step }) {
  if (error === undefined) return null
  return (
    <>
      <p class="reason">
        <code>{error.code}</code> {error.message}
      </p>
      {/* Otherwise the details have them. */}
      {details.length === 0 && error.violations.length > 0 && (
        <ul class="violations">
          {error.violations.map(({ pointer, message }) => (
            <li key={`${pointer} ${message}`}>
              <code>{pointer || '/'}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

/** Rules of another result than these are shown at once. */
const QUIET = ['did not match', 'not tried']
/** With fewer, all are shown. */
const MANY = 6

function Details({
  details,
  why,
}: {
  readonly details: readonly Detail[]
  readonly why: string | undefined
}) {
  if (details.length === 0) return null
  const isQuiet = ({ result }: Detail) => QUIET.includes(result)
  const quiet = details.filter(isQuiet)
  const fold = quiet.length > MANY
  const shown = fold ? details.filter((detail) => !isQuiet(detail)) : details
  return (
    <>
      <DetailList details={shown} why={why} />
      {fold && (
        <details>
          <summary>{plural(quiet.length, 'rule')} that did not match or were not tried</summary>
          <DetailList details={quiet} why={undefined} />
        </details>
      )}
    </>
  )
}

const DetailList = ({ details, why }: Parameters<typeof Details>[0]) => (
  <dl class="looked">
    {details.map(({ name, result, looked }) => (
      <div key={name} class={result.startsWith('matched') ? 'hit' : ''}>
        <dt>{name}</dt>
        <dd>
          {result}
          {name === 'verification' && why !== undefined && `: ${why}`}
          {looked.map(({ at, found }) => (
            <span key={at} class="note">
              <span class="at">{at}</span> <code>{found === result ? '' : found}</code>
            </span>
          ))}
        </dd>
      </div>
    ))}
  </dl>
)

/** The record, the acknowledgement and the response that there would be. */
export function Results({ explanation }: { readonly explanation: ExplanationJson }) {
  const { records, acknowledge, response } = explanation
  return (
    <div class="results">
      {records.map((record) => (
        <Result key={record.topic} title={record.deadLetter ? 'Dead letter' : 'Record'}>
          <Pairs
            pairs={[
              ['topic', record.topic],
              ['partition', record.partition === null ? partitionText(record) : String(record.partition)],
              ['key', record.key ?? 'none'],
              ...record.headers.map(({ name, value }) => [name, value] as const),
            ]}
          />
          <Preformatted label="Value of the record">
            {record.valueEncoding === 'utf-8' ? indented(record.value) : shownBytes(record.value)}
          </Preformatted>
        </Result>
      ))}
      {acknowledge.map(({ stage, method, url, headers, body }) => (
        <Result key={stage} title="Acknowledgement">
          <p class="mono line">
            {method} {url}
          </p>
          <Pairs pairs={Object.entries(headers)} />
          {body !== '' && <Preformatted label="Body of the acknowledgement">{body}</Preformatted>}
        </Result>
      ))}
      <Result title="Response to the sender">
        <p class="mono line">{response.status}</p>
        <Pairs pairs={Object.entries(response.headers)} />
        {response.body !== '' && (
          <Preformatted label="Body of the response">{indented(response.body)}</Preformatted>
        )}
      </Result>
    </div>
  )
}

const Result = ({ title, children }: { readonly title: string; readonly children: ComponentChildren }) => (
  <section class="panel">
    <header>
      <h3>{title}</h3>
    </header>
    {children}
  </section>
)

const Pairs = ({ pairs }: { readonly pairs: readonly (readonly [string, string])[] }) => (
  <dl class="pairs">
    {pairs.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd class="mono">{value}</dd>
      </div>
    ))}
  </dl>
)
