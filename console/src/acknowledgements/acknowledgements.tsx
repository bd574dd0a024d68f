import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { AcknowledgementReport, AcknowledgingStage } from '../../../src/admin/api.js'
import { getJson, reasonText, sendJson } from '../api/client.js'
import { poll } from '../api/live.js'
import { shapes } from '../api/state.js'
import { count, duration, plural } from '../format.js'
import { OutcomeLabel } from '../outcome.js'
import { Problem } from '../problem.js'
import { figures, ScrollTable, Table } from '../table.js'

/** Milliseconds. */
const EVERY = 3000

const reports = signal<readonly AcknowledgementReport[] | undefined>(undefined)
const problem = signal<string | undefined>(undefined)
const retried = signal<string | undefined>(undefined)

async function look(): Promise<void> {
  try {
    const { pipelines } = await getJson<{ readonly pipelines: readonly AcknowledgementReport[] }>(
      '/acknowledgements',
    )
    reports.value = pipelines
    problem.value = undefined
  } catch (error) {
    problem.value = reasonText(error)
  }
}

async function retry(): Promise<void> {
  try {
    const counts = Object.values(await sendJson<{ readonly [pipeline: string]: number }>('/ledger/retry', {}))
    const all = counts.reduce((sum, one) => sum + one, 0)
    retried.value = `${plural(all, 'acknowledgement')} ${all === 1 ? 'is' : 'are'} pending again.`
    await look()
  } catch (error) {
    problem.value = reasonText(error)
  }
}

/** Pending and failed acknowledgements, and how fast their sender takes them. */
export function Acknowledgements() {
  useEffect(() => {
    retried.value = undefined
    return poll(EVERY, look)
  }, [])
  const all = reports.value
  const failed = all?.reduce((sum, report) => sum + report.failed.count, 0) ?? 0
  return (
    <>
      <header class="heading">
        <h2>Acknowledgements</h2>
        <div class="actions">
          <button type="button" disabled={failed === 0} onClick={() => void retry()}>
            {failed === 0 ? 'Nothing to retry' : `Retry ${plural(failed, 'failed one')}`}
          </button>
        </div>
      </header>
      <Problem text={problem.value} />
      <p class="note" role="status">
        {retried.value}
      </p>
      {all === undefined ? (
        <p class="empty">Asking for the acknowledgements …</p>
      ) : all.length === 0 ? (
        <p class="empty">No pipeline has a post-commit stage, so nothing is acknowledged.</p>
      ) : (
        all.map((report) => <Report key={report.pipeline} report={report} />)
      )}
    </>
  )
}

function Report({ report }: { readonly report: AcknowledgementReport }) {
  const { pipeline, pending, failed, stages } = report
  const total = pending.reduce((sum, one) => sum + one.count, 0)
  return (
    <article class="acknowledgements">
      <h3>{pipeline}</h3>
      {shapes.value?.find(({ name }) => name === pipeline)?.shared === true && (
        <p class="note">
          Pending are those of the partitions that this instance owns; the{' '}
          <a href={`#/overview/${encodeURIComponent(pipeline)}`}>overview</a> has all partitions.
        </p>
      )}
      <div class="pair">
        <section class="panel">
          <header>
            <h4>{total === 0 ? 'Nothing is pending' : `${count(total)} pending, by age`}</h4>
          </header>
          <Table columns={['Age of the event', figures('Pending')]}>
            {pending.map(({ age, count: events }) => (
              <tr key={age}>
                <th scope="row">{age}</th>
                <td class="number">
                  {count(events)}
                  {total > 0 && <meter value={events} max={total} aria-label={`${age}: ${events}`} />}
                </td>
              </tr>
            ))}
          </Table>
        </section>
        {stages.map((stage) => (
          <Stage key={stage.stage} stage={stage} />
        ))}
      </div>
      <Failed failed={failed} />
    </article>
  )
}

function Stage({ stage }: { readonly stage: AcknowledgingStage }) {
  const { stage: name, active, limit, pausedSeconds, figures } = stage
  return (
    <section class="panel">
      <header>
        <h4 class="mono">{name}</h4>
        <StageState stage={stage} />
      </header>
      <dl class="facts">
        <dt>Allowed</dt>
        <dd>{limit === undefined ? 'no limit: the sender has not asked for one' : `${limit} a second`}</dd>
        <dt>Under way</dt>
        <dd>{plural(active, 'attempt')}</dd>
        {pausedSeconds > 0 && (
          <>
            <dt>Pause</dt>
            <dd>{`the sender asked for ${duration(pausedSeconds * 1000)} more`}</dd>
          </>
        )}
        {figures.map(({ name: figure, help, value }) => (
          <Figure key={figure} name={figure} help={help} value={value} />
        ))}
      </dl>
    </section>
  )
}

function StageState({ stage: { isHeld, isDown, pausedSeconds } }: { readonly stage: AcknowledgingStage }) {
  if (isHeld) return <OutcomeLabel kind="dropped">stopped with its pipeline</OutcomeLabel>
  if (isDown) return <OutcomeLabel kind="unavailable">the sender does not respond</OutcomeLabel>
  if (pausedSeconds > 0) return <OutcomeLabel kind="rejected">throttled by the sender</OutcomeLabel>
  return <OutcomeLabel kind="delivered">works</OutcomeLabel>
}

const isExpiry = (name: string): boolean => name.includes('token_expiry')

/** A gauge of the plugin; one of a time as the time. */
const Figure = ({ name, help, value }: AcknowledgingStage['figures'][number]) => (
  <>
    <dt>{isExpiry(name) ? 'Token' : name}</dt>
    <dd title={help}>{figureText(name, value)}</dd>
  </>
)

function figureText(name: string, value: number): string {
  if (!name.endsWith('_timestamp_seconds')) return String(value)
  if (value === 0) return 'none yet'
  const at = new Date(value * 1000).toLocaleTimeString('en-GB')
  const left = value * 1000 - Date.now()
  if (left > 0) return `${isExpiry(name) ? 'expires at ' : ''}${at}, in ${duration(left)}`
  // It is renewed only when it is needed, so this is no fault.
  return isExpiry(name)
    ? `expired at ${at}, ${duration(-left)} ago; the next attempt gets a new one`
    : `${at}, ${duration(-left)} ago`
}

function Failed({ failed: { count: total, first } }: Pick<AcknowledgementReport, 'failed'>) {
  if (total === 0) return null
  return (
    <section class="panel">
      <header>
        <h4>
          <OutcomeLabel kind="unavailable">{`${plural(total, 'acknowledgement')} failed for good`}</OutcomeLabel>
        </h4>
      </header>
      <ScrollTable
        label="Failed acknowledgements, oldest first"
        columns={['Event', 'Failed', 'Reason']}
        below={total > first.length && <p class="note foot">The oldest {first.length} are listed.</p>}
      >
        {first.map(({ id, failedAt, reason }) => (
          <tr key={`${id} ${failedAt}`}>
            <th scope="row" class="mono">
              {id}
            </th>
            <td>{new Date(failedAt).toLocaleString('en-GB')}</td>
            <td>
              <code>{reason.code}</code> {reason.message}
            </td>
          </tr>
        ))}
      </ScrollTable>
    </section>
  )
}
