import { useEffect } from 'preact/hooks'
import type { RefusedDetail } from '../../../src/admin/api.js'
import type { RefusedLine } from '../../../src/tap/line.js'
import { Choice } from '../choice.js'
import { count, plural } from '../format.js'
import { OutcomeLabel } from '../outcome.js'
import { refusedKind } from '../outcomes.js'
import { type Column, ScrollTable, wide } from '../table.js'
import { Body } from './body.js'
import { DetailPanel, Entry } from './detail-panel.js'
import { ReceivedBody } from './received-body.js'
import { ANY, codeOf, pipelineOf, type RefusedFilter } from './refused-lines.js'
import { choose, chosen, codes, detail, filter, followRefused, pipelines, shown } from './refused-list.js'

/** The requests that got an error response: the reason why a sender says that it fails. */
export function Refused() {
  useEffect(followRefused, [])
  const all = shown.value
  if (all === undefined) return <p class="empty">Asking for the refused requests …</p>
  const open = all.find(({ number }) => number === chosen.value)
  return (
    <>
      <header class="heading">
        <h2>Refused requests</h2>
      </header>
      <Filters />
      <div class={open === undefined ? 'events' : 'events open'}>
        <RefusedTable all={all} />
        {open !== undefined && <Detail line={open} />}
      </div>
    </>
  )
}

function Filters() {
  const { pipeline, code, text } = filter.value
  const change = (changes: Partial<RefusedFilter>) => {
    filter.value = { ...filter.value, ...changes }
  }
  return (
    <search class="filters">
      {pipelines.value.length > 1 && (
        <Choice
          label="Pipeline"
          value={pipeline}
          values={pipelines.value}
          onChange={(value) => change({ pipeline: value })}
        />
      )}
      <Choice label="Code" value={code} values={codes.value} onChange={(value) => change({ code: value })} />
      <label>
        Text in the list
        <input
          type="search"
          value={text}
          placeholder="path, address, client, reason"
          onInput={({ currentTarget }) => change({ text: currentTarget.value })}
        />
      </label>
    </search>
  )
}

const BODY: Column = { title: 'Body', layout: 'number wide' }

function RefusedTable({ all }: { readonly all: readonly RefusedLine[] }) {
  const several = pipelines.value.length > 1
  return (
    <ScrollTable
      isPanel
      label="Refused requests, newest first"
      columns={['Time', 'Status', 'Reason', wide('Request'), wide('From'), several && wide('Pipeline'), BODY]}
      below={
        pipelines.value.length === 0 ? (
          <p class="empty">No request has been refused since Headgate started. New ones appear here.</p>
        ) : all.length === 0 ? (
          <p class="empty">
            None of them fits.{' '}
            <button type="button" class="plain" onClick={() => (filter.value = ANY)}>
              All requests
            </button>
          </p>
        ) : (
          <p class="note foot">
            {plural(all.length, 'request')}, newest first. Headgate keeps the last 50 of each pipeline in
            memory.
          </p>
        )
      }
    >
      {all.map((line) => (
        <Row key={line.number} line={line} several={several} />
      ))}
    </ScrollTable>
  )
}

const buttonOf = (number: number): string => `refused-${number}`

function Row({ line, several }: { readonly line: RefusedLine; readonly several: boolean }) {
  const { number, time, status, method, path, remoteAddress, bytes } = line
  const isChosen = chosen.value === number
  const toggle = () => choose(isChosen ? undefined : number)
  return (
    <tr class={isChosen ? 'selected' : ''} onClick={toggle}>
      <td class="mono">
        <time datetime={time}>{new Date(time).toLocaleTimeString('en-GB')}</time>
      </td>
      <td>
        <OutcomeLabel kind={refusedKind(status)}>{String(status)}</OutcomeLabel>
      </td>
      <th scope="row">
        <button
          type="button"
          id={buttonOf(number)}
          class="link mono"
          aria-expanded={isChosen}
          onClick={(click) => {
            click.stopPropagation()
            toggle()
          }}
        >
          {codeOf(line)}
        </button>
      </th>
      <td class="mono path wide">{method === undefined ? 'no request' : `${method} ${path}`}</td>
      <td class="mono wide">{remoteAddress ?? '–'}</td>
      {several && <td class="wide">{pipelineOf(line)}</td>}
      <td class="number wide">{bytes === undefined ? '–' : `${count(bytes)} B`}</td>
    </tr>
  )
}

function Detail({ line }: { readonly line: RefusedLine }) {
  const { number, time, pipeline, status, method, path, code, message, requestId, remoteAddress } = line
  const { headers } = line
  const loaded = detail.value
  const action = loaded !== undefined && 'action' in loaded ? loaded.action : undefined
  return (
    <DetailPanel
      shows={number}
      label="The chosen request"
      title={<OutcomeLabel kind={refusedKind(status)}>{`Status ${status}`}</OutcomeLabel>}
      opener={buttonOf(number)}
      onClose={() => choose(undefined)}
    >
      <dl>
        <Entry name="Reason" value={message === '' ? undefined : message} />
        <Entry name="Code" value={code} />
        <Entry name="To do" value={action?.replaceAll('`', '')} />
        <Entry name="Time" value={new Date(time).toISOString()} />
        <Entry name="Pipeline" value={pipeline ?? 'none listens at this path'} />
        <Entry name="Request" value={method === undefined ? undefined : `${method} ${path}`} />
        <Entry name="From" value={remoteAddress} />
        <Entry name="Forwarded" value={headers['forwarded']} />
        <Entry name="Forwarded for" value={headers['x-forwarded-for']} />
        <Entry name="Client" value={headers['user-agent']} />
        <Entry name="Content type" value={headers['content-type']} />
        <Entry name="Encoding" value={headers['content-encoding']} />
        <Entry name="Request id" value={requestId} />
      </dl>
      {loaded !== undefined && <RefusedBody loaded={loaded} />}
    </DetailPanel>
  )
}

function RefusedBody({ loaded }: { readonly loaded: RefusedDetail | { readonly problem: string } }) {
  if ('problem' in loaded) return <p class="note body-note">{loaded.problem}</p>
  const { number, payload, hex, cut, bytes, unshown, violations } = loaded
  if (bytes === undefined)
    return <p class="note body-note">The request was refused for its head; its body was not read.</p>
  if (hex !== undefined)
    return <ReceivedBody body={{ hex, ...(cut && { cut }) }} name={`refused-${number}.bin`} />
  if (payload === undefined)
    return (
      <p class="note body-note">
        {bytes === 0
          ? 'The body is empty.'
          : `The body of ${count(bytes)} bytes is not shown. ${unshown ?? ''}`}
      </p>
    )
  return <Body text={payload} cut={cut === true} places={violations?.map(({ pointer }) => pointer)} />
}
