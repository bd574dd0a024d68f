import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface DetailPanelProps {
  /** Another one takes the focus. */
  readonly shows: number | string
  readonly label: string
  readonly title: ComponentChildren
  /** The id of the element that opened it, which gets the focus back. */
  readonly opener: string
  onClose(): void
  readonly children: ComponentChildren
}

/** Beside a list: everything about the chosen one. Escape closes it. */
export function DetailPanel({ shows, label, title, opener, onClose, children }: DetailPanelProps) {
  const panel = useRef<HTMLElement>(null)
  useEffect(() => panel.current?.focus(), [shows])
  const close = () => {
    onClose()
    document.getElementById(opener)?.focus()
  }
  return (
    <aside
      ref={panel}
      class="panel detail-panel"
      tabIndex={-1}
      aria-label={label}
      onKeyDown={(press) => press.key === 'Escape' && close()}
    >
      <header>
        <h3>{title}</h3>
        <button type="button" class="plain" onClick={close}>
          Close
        </button>
      </header>
      {children}
    </aside>
  )
}

export const Entry = ({ name, value }: { readonly name: string; readonly value: string | undefined }) =>
  value === undefined ? null : (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  )
