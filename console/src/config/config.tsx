import type { EditorView } from '@codemirror/view'
import { useEffect, useRef } from 'preact/hooks'
import { plural } from '../format.js'
import { ApplyBar } from './apply-bar.js'
import {
  edit,
  findings,
  isChanged,
  isChecked,
  load,
  loaded,
  placed,
  schema,
  settled,
  text,
  unchecked,
  unreadable,
} from './edit.js'
import { createEditor, goTo, replaceText, showProblems } from './editor.js'
import { Problems } from './problems.js'
import { RoutingDiff } from './routing-diff.js'
import { TextDiff } from './text-diff.js'
import './config.css'

/** The config file in an editor: what is wrong with a change, what it would change, and the change itself. */
export function Config() {
  useEffect(() => void load(), [])
  const view = useRef<EditorView | undefined>(undefined)
  const config = loaded.value
  if (unreadable.value !== undefined && config === undefined)
    return (
      <p class="notice unavailable" role="alert">
        {unreadable.value}
      </p>
    )
  if (config === undefined || schema.value === undefined) return <p class="empty">Reading the config …</p>
  const { file, writable, refused, shown } = config
  return (
    <article class="config">
      <header class="heading">
        <h2>Config</h2>
        <code>{file}</code>
        <span class={writable ? 'state' : 'state paused'}>
          {writable ? 'can be changed here' : 'read only'}
        </span>
      </header>
      {!writable && (
        <p class="note">
          This Headgate may not write its config: <code>HEADGATE_CONFIG_WRITABLE</code> is not set. You can
          edit the text here, see its problems and its effect, and copy it. Nothing is changed.
        </p>
      )}
      {refused.length > 0 && (
        <section class="notice unavailable">
          <h3>The file was refused; revision {config.revision} keeps running.</h3>
          {shown === 'running' && <p>The file has a syntax error. The editor has the text that runs.</p>}
          <ul>
            {refused.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </section>
      )}
      <div class="editing">
        <Editor onView={(created) => (view.current = created)} />
        <Problems
          findings={findings.value}
          isChecking={!isChecked.value}
          problem={unchecked.value}
          onChoose={(finding) => view.current && goTo(view.current, finding)}
        />
      </div>
      <ApplyBar />
      {isChanged.value && (
        <>
          <TextDiff before={config.text} after={settled.value} />
          <RoutingDiff />
        </>
      )}
    </article>
  )
}

function Editor({ onView }: { onView(view: EditorView | undefined): void }) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | undefined>(undefined)
  useEffect(() => {
    if (host.current === null || schema.value === undefined) return
    const created = createEditor(host.current, {
      text: text.value,
      schema: schema.value,
      label: `The config file${loaded.value?.writable ? '' : ', read only'}`,
      onChange: edit,
    })
    view.current = created
    onView(created)
    return () => {
      created.destroy()
      onView(undefined)
    }
  }, [])
  const [found, other] = [findings.value, placed.value]
  useEffect(() => {
    if (view.current !== undefined) replaceText(view.current, other.text)
  }, [other])
  useEffect(() => {
    if (view.current !== undefined && found !== undefined) showProblems(view.current, found)
  }, [found])
  return (
    <section class="panel editor" aria-label="Editor">
      <div ref={host} class="host" />
      <p class="note foot">
        {plural(text.value.split('\n').length, 'line')} · Ctrl-Space completes · point at a name for its
        meaning
      </p>
    </section>
  )
}
