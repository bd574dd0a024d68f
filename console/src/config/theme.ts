import { EditorView } from '@codemirror/view'

const MONO = 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace'

const tinted = (colour: string, percent: number): string =>
  `color-mix(in srgb, var(--${colour}) ${percent}%, transparent)`

/** The palette of the console. Its variables reach into the shadow root of an editor. */
export const theme = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'var(--surface)', color: 'var(--text)', fontSize: '13px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: MONO, lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--text)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--muted)', border: 'none' },
  '.cm-activeLine': { backgroundColor: tinted('line', 40) },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: tinted('accent', 28),
  },
  '.cm-selectionMatch': { backgroundColor: tinted('accent', 14) },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: tinted('accent', 22) },
  '.cm-lintRange-error': { backgroundImage: 'none', borderBottom: '2px solid var(--unavailable)' },
  '.cm-lintRange-warning': { backgroundImage: 'none', borderBottom: '2px dashed var(--rejected)' },
  '.cm-lintPoint::after': { borderBottomColor: 'var(--unavailable)' },
  '.cm-lint-marker': { width: '0.75em', height: '0.75em', marginTop: '0.35em' },
  '.cm-lint-marker-error': { content: 'none', backgroundColor: 'var(--unavailable)', borderRadius: '2px' },
  '.cm-lint-marker-warning': { content: 'none', backgroundColor: 'var(--rejected)', borderRadius: '50%' },
  '.cm-tooltip': {
    maxWidth: 'min(480px, 90vw)',
    border: '1px solid var(--line-strong)',
    borderRadius: '8px',
    backgroundColor: 'var(--raised)',
    color: 'var(--text)',
    fontFamily: 'system-ui, "Noto Sans", "DejaVu Sans", sans-serif',
    boxShadow: '0 4px 16px var(--shadow)',
  },
  '.cm-tooltip .explanation': { padding: '4px 12px' },
  '.cm-tooltip p': { margin: '6px 0' },
  '.cm-tooltip code': { fontFamily: MONO },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: MONO },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    backgroundColor: 'var(--accent)',
    color: 'var(--on-accent)',
  },
  '.cm-completionDetail': { marginLeft: '12px', opacity: '0.85' },
  '.cm-completionInfo': { padding: '6px 10px', whiteSpace: 'normal' },
  '.cm-diagnostic': { padding: '6px 10px', whiteSpace: 'pre-wrap' },
  '.cm-diagnostic-error': { borderLeft: '4px solid var(--unavailable)' },
  '.cm-diagnostic-warning': { borderLeft: '4px solid var(--rejected)' },
  '.cm-diagnosticSource': { opacity: '1', color: 'var(--muted)' },
  '.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--text)', borderColor: 'var(--line)' },
  '.cm-panel.cm-search label': { fontSize: '12.5px' },
  '.cm-panels button, .cm-panels input': {
    fontSize: '12.5px',
    border: '1px solid var(--line-strong)',
    borderRadius: '6px',
    background: 'var(--surface)',
    color: 'var(--text)',
  },
  '&.cm-merge-b .cm-changedLine, .cm-insertedLine, .cm-inlineChangedLine': {
    backgroundColor: tinted('delivered', 12),
  },
  '&.cm-merge-b .cm-changedText, &.cm-merge-b .cm-insertedLine .cm-changedText': {
    background: tinted('delivered', 26),
  },
  '.cm-deletedChunk': { backgroundColor: tinted('unavailable', 10) },
  '.cm-deletedChunk .cm-deletedText, .cm-deletedLine .cm-deletedText': {
    background: tinted('unavailable', 24),
  },
  '.cm-deletedLine, .cm-deletedLine del': { textDecoration: 'none' },
  '.cm-changeGutter': { width: '4px' },
  '&.cm-merge-b .cm-changedLineGutter': { background: 'var(--delivered)' },
  '.cm-deletedLineGutter': { background: 'var(--unavailable)' },
  '.cm-collapsedLines': {
    padding: '4px 12px',
    background: 'var(--raised)',
    color: 'var(--muted)',
  },
  '& .cm-collapsedLines::before, & .cm-collapsedLines::after': { content: '"…"' },
})
