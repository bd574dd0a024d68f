import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { LedgerInstances, PipelineShape, TopicProgress } from '../../../src/admin/api.js'
import { getJson, reasonText } from '../api/client.js'
import { poll } from '../api/live.js'
import { count, duration, plural } from '../format.js'
import { OutcomeLabel } from '../outcome.js'
import { Problem } from '../problem.js'
import { figures, ScrollTable } from '../table.js'

/** Milliseconds. Each look asks Kafka. */
const EVERY = 10_000

type OneActive = Extract<LedgerInstances, { kind: 'one-active' }>
type Shared = Extract<LedgerInstances, { kind: 'shared' }>

/** Of the pipeline that is shown. */
const found = signal<{ readonly pipeline: string; readonly instances: LedgerInstances } | undefined>(
  undefined,
)
const problem = signal<string | undefined>(undefined)

function follow(pipeline: string): () => void {
  problem.value = undefined
  return poll(EVERY, async (ended) => {
    try {
      const path = `/pipelines/${encodeURIComponent(pipeline)}/instances`
      const instances = await getJson<LedgerInstances>(path, ended)
      found.value = { pipeline, instances }
      problem.value = undefined
    } catch (error) {
      if (!ended.aborted) problem.value = reasonText(error)
    }
  })
}

/** Which instances run the pipeline, from Kafka, so that any of them shows the same. */
export function Instances({ shape: { name } }: { readonly shape: PipelineShape }) {
  useEffect(() => follow(name), [name])
  const shown = found.value?.pipeline === name ? found.value.instances : undefined
  return (
    <>
      <Problem intro="The instances cannot be shown now: " text={problem.value} />
      {shown?.kind === 'one-active' && <OnlyOne instances={shown} />}
      {shown?.kind === 'shared' && <Sharing group={shown} />}
    </>
  )
}

function OnlyOne({ instances }: { readonly instances: OneActive }) {
  return (
    <section class="panel">
      <header>
        <h3>Instances</h3>
        <OnlyOneState kind={instances.state.kind} />
      </header>
      <p class="statement">{statementOf(instances)}</p>
    </section>
  )
}

function statementOf({ state, reason = '' }: OneActive): string {
  switch (state.kind) {
    case 'active':
      return `This instance takes the events, since ${moment(state.since)}. Any other one is a standby, and takes over when this one stops.`
    case 'unguarded':
      return 'This instance takes the events. Another one would not be noticed: Kafka has no group here in which only one can be active.'
    case 'standby': {
      const { host, pid, since } = state.active
      return `The active instance is process ${pid} on ${host}, since ${moment(since)}. This one takes over when that one stops.`
    }
    case 'undecided':
      return reason
  }
}

function OnlyOneState({ kind }: { readonly kind: OneActive['state']['kind'] }) {
  if (kind === 'standby') return <OutcomeLabel kind="duplicate">standby</OutcomeLabel>
  if (kind === 'undecided') return <OutcomeLabel kind="unavailable">not known</OutcomeLabel>
  return <OutcomeLabel kind="delivered">active</OutcomeLabel>
}

function Sharing({ group }: { readonly group: Shared }) {
  return (
    <section class="instances" aria-label="Instances and partitions">
      <p class="note">
        From Kafka, for all instances together; the figures above are those of this instance alone.
      </p>
      <div class="pair">
        <Members group={group} />
        <Partitions group={group} />
      </div>
    </section>
  )
}

/** The instances, with the sums of the partitions that each owns. */
function Members({ group: { own, instances, partitions } }: { readonly group: Shared }) {
  const owners = partitions.flatMap(({ owner }) => owner ?? [])
  const names = [...new Set([...(instances ?? []), ...owners])].sort()
  return (
    <section class="panel">
      <header>
        <h3>{instances === undefined ? 'Instances' : plural(names.length, 'instance')}</h3>
      </header>
      <ScrollTable
        label="Instances"
        columns={['Instance', ...['Partitions', 'Not worked off', 'Not acknowledged'].map(figures)]}
        below={
          names.length === 0 && (
            <p class="empty">Kafka does not tell which instances there are, or has none yet.</p>
          )
        }
      >
        {names.map((name) => {
          const owned = partitions.filter(({ owner }) => owner === name)
          return (
            <tr key={name}>
              <th scope="row">
                <Instance name={name} own={own} />
              </th>
              <td class="number">{count(owned.length)}</td>
              <td class="number">{count(sum(owned, 'notWorkedOff'))}</td>
              <td class="number">{count(sum(owned, 'notAcknowledged'))}</td>
            </tr>
          )
        })}
      </ScrollTable>
    </section>
  )
}

function Partitions({ group: { own, partitions } }: { readonly group: Shared }) {
  const severalTopics = new Set(partitions.map(({ topic }) => topic)).size > 1
  return (
    <section class="panel">
      <header>
        <h3>{plural(partitions.length, 'partition')}</h3>
        <span class="note">
          {`${count(sum(partitions, 'notWorkedOff'))} not worked off, ${count(sum(partitions, 'notAcknowledged'))} not acknowledged`}
        </span>
      </header>
      <ScrollTable
        label="Partitions, with their owners and what is left to do"
        columns={[
          'Partition',
          'Owner',
          figures('Not worked off'),
          figures('Not acknowledged'),
          { title: 'Oldest accepted', layout: 'number wide' },
        ]}
      >
        {partitions.map(({ topic, partition, owner, notWorkedOff, notAcknowledged, oldestAt }) => (
          <tr key={`${topic} ${partition}`}>
            <th scope="row">{severalTopics ? `${topic} ${partition}` : partition}</th>
            <td>
              {owner === undefined ? (
                <OutcomeLabel kind="unavailable">none, or not known</OutcomeLabel>
              ) : (
                <Instance name={owner} own={own} />
              )}
            </td>
            <td class="number">{count(notWorkedOff)}</td>
            <td class="number">{count(notAcknowledged)}</td>
            <td class="number wide">
              {oldestAt === undefined ? '–' : `${duration(Math.max(0, Date.now() - oldestAt))} ago`}
            </td>
          </tr>
        ))}
      </ScrollTable>
    </section>
  )
}

/** Host and process, as Kafka has them. */
const Instance = ({ name, own }: { readonly name: string; readonly own: readonly string[] }) => (
  <>
    {name} {own.includes(name) && <span class="note">this instance</span>}
  </>
)

const sum = (partitions: readonly TopicProgress[], of: 'notWorkedOff' | 'notAcknowledged'): number =>
  partitions.reduce((total, partition) => total + partition[of], 0)

const moment = (time: string): string => new Date(time).toLocaleString('en-GB')
