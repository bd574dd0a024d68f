import type { OutcomeKind } from './overview/graph.js'

/** A sign of its own for each outcome, so that the colour is never the only one. */
const SIGNS: { readonly [kind in OutcomeKind]: string } = {
  accepted: 'M8 2.5v6M5.5 6L8 8.5 10.5 6M2.5 9.5v4h11v-4',
  delivered: 'M3 8.5l3.2 3.2L13 5',
  duplicate: 'M5.5 5.5h7v7h-7zM3.5 10.5v-7h7',
  dropped: 'M3.5 8h9',
  'dead-lettered': 'M2.5 4.5h11v7.5h-11zM2.5 5l5.5 4 5.5-4',
  rejected: 'M4 4l8 8M12 4l-8 8',
  limited: 'M4 3h8M4 13h8M5 3c0 4 6 6 6 10M11 3c0 4-6 6-6 10',
  unavailable: 'M8 3v6.5M8 12.4v.4',
  handshake: 'M2.5 6h8M8 3.5L10.5 6M13.5 10h-8M8 7.5L5.5 10 8 12.5',
}

export function OutcomeSign({ kind }: { readonly kind: OutcomeKind }) {
  return (
    <svg class="sign" aria-hidden="true" viewBox="0 0 16 16" style={{ color: `var(--${kind})` }}>
      <path d={SIGNS[kind]} />
    </svg>
  )
}

export function OutcomeLabel({ kind, children }: { readonly kind: OutcomeKind; readonly children?: string }) {
  return (
    <span class="outcome" style={{ color: `var(--${kind})` }}>
      <OutcomeSign kind={kind} />
      {children ?? kind}
    </span>
  )
}
