import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { bracketMatching, indentOnInput, indentUnit } from '@codemirror/language'
import { type Diagnostic, linter, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { unifiedMergeView } from '@codemirror/merge'
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search'
import { EditorState, type Extension, type Text } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view'
import type { Finding } from '../../../src/admin/api.js'
import { completionsOf } from './assistance.js'
import { highlighting, jsonc } from './jsonc-language.js'
import type { Schema } from './schema-at.js'
import { theme } from './theme.js'
import { explanations } from './tooltips.js'

interface EditorOptions {
  readonly text: string
  readonly schema: Schema
  readonly label: string
  onChange(text: string): void
}

/** An editor of a config in a shadow root: there CodeMirror's styles are no style elements, which the policy of the page forbids. */
export function createEditor(
  host: HTMLElement,
  { text, schema, label, onChange }: EditorOptions,
): EditorView {
  const source = autocompletion({ override: [(context) => completionsOf(schema, context)], icons: false })
  return new EditorView({
    ...placeOf(host),
    state: EditorState.create({
      doc: text,
      extensions: [
        ...appearance(label),
        jsonc,
        highlighting,
        history(),
        indentOnInput(),
        indentUnit.of('  '),
        bracketMatching(),
        closeBrackets(),
        search({ top: true }),
        highlightSelectionMatches(),
        highlightActiveLine(),
        source,
        explanations(schema),
        linter(null),
        lintGutter(),
        // Tab leaves the editor, so that it is no trap for people without a mouse.
        keymap.of([
          ...closeBracketsKeymap,
          ...defaultKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...completionKeymap,
          ...lintKeymap,
        ]),
        EditorView.updateListener.of(({ docChanged, state }) => {
          if (docChanged) onChange(state.doc.toString())
        }),
      ],
    }),
  })
}

/** The changes of a text, without the lines around them. Its colours are those of the changes: those of tokens could not be read there. */
export function createChanges(host: HTMLElement, before: string, after: string): EditorView {
  const changes = unifiedMergeView({
    original: before,
    mergeControls: false,
    collapseUnchanged: { margin: 3, minSize: 6 },
  })
  return new EditorView({
    ...placeOf(host),
    state: EditorState.create({
      doc: after,
      extensions: [...appearance('Changes of the config'), EditorState.readOnly.of(true), changes],
    }),
  })
}

/** Marks the problems in the text. */
export function showProblems(view: EditorView, findings: readonly Finding[]): void {
  const { doc } = view.state
  const diagnostics = findings.map((finding): Diagnostic => {
    const from = offsetOf(doc, finding.line, finding.column)
    const to = Math.max(from, offsetOf(doc, finding.endLine, finding.endColumn))
    return { from, to, severity: finding.severity, source: finding.code, message: messageOf(finding) }
  })
  view.dispatch(setDiagnostics(view.state, diagnostics))
}

/** Puts the cursor there. */
export function goTo(view: EditorView, { line, column }: Pick<Finding, 'line' | 'column'>): void {
  const anchor = offsetOf(view.state.doc, line, column)
  view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) })
  view.focus()
}

export function replaceText(view: EditorView, text: string): void {
  if (view.state.doc.toString() === text) return
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } })
}

const messageOf = ({ message, expected, suggestion }: Finding): string =>
  [message, expected && `Expected: ${expected}.`, suggestion].filter(Boolean).join('\n')

/** The text may have changed since it was checked. */
function offsetOf(doc: Text, line: number, column: number): number {
  const { from, to } = doc.line(Math.min(Math.max(line, 1), doc.lines))
  return Math.min(from + column - 1, to)
}

function placeOf(host: HTMLElement): { readonly parent: ShadowRoot; readonly root: ShadowRoot } {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  return { parent: root, root }
}

const appearance = (label: string): Extension[] => [
  theme,
  lineNumbers(),
  drawSelection(),
  EditorView.lineWrapping,
  EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
]
