import { useEffect, useRef } from 'preact/hooks'
import { count, duration } from '../format.js'
import { OutcomeLabel } from '../outcome.js'
import { buttonOf, type ListedEvent, selected } from './live-list.js'

/** Everything that the tap knows of one event. The body is text, whatever is in it. */
export function EventDetail({ event }: { readonly event: ListedEvent }) {
  const { key, time, pipeline, id, outcome, route, topic, partition, offset, ms, code, message, bytes } =
    event
  const panel = useRef<HTMLElement>(null)
  useEffect(() => panel.current?.focus(), [key])
  const close = () => {
    selected.value = undefined
    document.getElementById(buttonOf(event))?.focus()
  }
  return (
    <aside
      ref={panel}
      class="panel detail-panel"
      tabIndex={-1}
      aria-label="The chosen event"
      onKeyDown={(press) => press.key === 'Escape' && close()}
    >
      <header>
        <h3>
          <OutcomeLabel kind={outcome} />
        </h3>
        <button type="button" class="plain" onClick={close}>
          Close
        </button>
      </header>
      <dl>
        {id !== undefined && <Entry name="Id" value={id} />}
        <Entry name="Time" value={new Date(time).toISOString()} />
        <Entry name="Pipeline" value={pipeline} />
        {route !== undefined && <Entry name="Rule" value={route} />}
        {topic !== undefined && (
          <Entry name="Record" value={`${topic}, partition ${partition}, offset ${offset}`} />
        )}
        <Entry name="Took" value={duration(ms)} />
        {code !== undefined && <Entry name="Code" value={code} />}
        {message !== undefined && <Entry name="Reason" value={message} />}
        {bytes !== undefined && <Entry name="Body" value={`${count(bytes)} bytes`} />}
      </dl>
      <Body event={event} />
    </aside>
  )
}

const Entry = ({ name, value }: { readonly name: string; readonly value: string }) => (
  <>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </>
)

function Body({ event: { payload, cut, bytes } }: { readonly event: ListedEvent }) {
  if (payload === undefined)
    return (
      <p class="note body-note">
        {bytes === undefined
          ? 'The request was refused before it became an event, so its body is not shown.'
          : 'The body cannot be shown.'}
      </p>
    )
  return (
    <>
      <p class="note body-note">
        Masked and secret values are replaced.{cut && ' Only the beginning is shown.'}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable text is reached by keyboard */}
      <pre tabIndex={0}>{indented(payload)}</pre>
    </>
  )
}

/** With line breaks, if it is whole. Numbers stay as they were written: parsing would round them. */
function indented(json: string): string {
  let depth = 0
  let text = ''
  let inString = false
  for (let at = 0; at < json.length; at++) {
    const char = json[at] as string
    if (inString) {
      text += char
      if (char === '\\') text += json[++at] ?? ''
      else if (char === '"') inString = false
      continue
    }
    const isEmpty = (char === '{' && json[at + 1] === '}') || (char === '[' && json[at + 1] === ']')
    if (isEmpty) text += char + json[++at]
    else if (char === '{' || char === '[') text += `${char}\n${'  '.repeat(++depth)}`
    else if (char === '}' || char === ']') text += `\n${'  '.repeat(--depth)}${char}`
    else if (char === ',') text += `,\n${'  '.repeat(depth)}`
    else if (char === ':') text += ': '
    else text += char
    if (char === '"') inString = true
  }
  return text
}
