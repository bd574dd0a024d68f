import { count, duration } from '../format.js'
import { OutcomeLabel } from '../outcome.js'
import { Body } from './body.js'
import { DetailPanel, Entry } from './detail-panel.js'
import { buttonOf, type ListedEvent, selected } from './live-list.js'

/** Everything that the tap knows of one event. */
export function EventDetail({ event }: { readonly event: ListedEvent }) {
  const { key, time, pipeline, id, outcome, route, topic, partition, offset, ms, code, message, bytes } =
    event
  const record = topic === undefined ? undefined : `${topic}, partition ${partition}, offset ${offset}`
  return (
    <DetailPanel
      shows={key}
      label="The chosen event"
      title={<OutcomeLabel kind={outcome} />}
      opener={buttonOf(event)}
      onClose={() => {
        selected.value = undefined
      }}
    >
      <dl>
        <Entry name="Id" value={id} />
        <Entry name="Time" value={new Date(time).toISOString()} />
        <Entry name="Pipeline" value={pipeline} />
        <Entry name="Rule" value={route} />
        <Entry name="Record" value={record} />
        <Entry name="Took" value={duration(ms)} />
        <Entry name="Code" value={code} />
        <Entry name="Reason" value={message} />
        <Entry name="Body" value={bytes === undefined ? undefined : `${count(bytes)} bytes`} />
      </dl>
      <EventBody event={event} />
    </DetailPanel>
  )
}

function EventBody({ event: { payload, cut, bytes } }: { readonly event: ListedEvent }) {
  if (payload !== undefined) return <Body text={payload} cut={cut === true} />
  return (
    <p class="note body-note">
      {bytes === undefined ? (
        <>
          The request was refused before it became an event. Its body can be among the{' '}
          <a href="#/events/refused">refused requests</a>.
        </>
      ) : (
        'The body cannot be shown.'
      )}
    </p>
  )
}
