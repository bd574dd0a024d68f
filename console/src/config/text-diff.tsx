import { useEffect, useRef } from 'preact/hooks'
import { createChanges } from './editor.js'

interface TextDiffProps {
  readonly before: string
  readonly after: string
}

/** The changed lines. */
export function TextDiff({ before, after }: TextDiffProps) {
  const host = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (host.current === null) return
    const view = createChanges(host.current, before, after)
    return () => view.destroy()
  }, [before, after])
  return (
    <section class="panel changes">
      <header>
        <h3>Change of the text</h3>
      </header>
      <div ref={host} class="host" />
    </section>
  )
}
