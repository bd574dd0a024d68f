import { HighlightStyle, StreamLanguage, type StringStream, syntaxHighlighting } from '@codemirror/language'
import { tags } from '@lezer/highlight'

interface State {
  inComment: boolean
  /** Open brackets, for the indentation. */
  depth: number
}

/** JSON with comments, as config files are: the packages for JSON know none. */
export const jsonc = StreamLanguage.define<State>({
  name: 'jsonc',
  startState: () => ({ inComment: false, depth: 0 }),
  token(stream, state) {
    if (state.inComment || stream.match('/*')) {
      state.inComment = !(stream.skipTo('*/') && stream.match('*/'))
      if (state.inComment) stream.skipToEnd()
      return 'comment'
    }
    if (stream.eatSpace()) return null
    if (stream.match('//')) {
      stream.skipToEnd()
      return 'comment'
    }
    return valueToken(stream, state)
  },
  indent: ({ depth }, textAfter, { unit }) =>
    Math.max(0, depth - (/^\s*[}\]]/.test(textAfter) ? 1 : 0)) * unit,
  languageData: {
    commentTokens: { line: '//', block: { open: '/*', close: '*/' } },
    closeBrackets: { brackets: ['{', '[', '"'] },
    indentOnInput: /^\s*[}\]]$/,
  },
})

function valueToken(stream: StringStream, state: State): string | null {
  if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return stream.match(/^\s*:/, false) ? 'propertyName' : 'string'
  if (stream.match(/^-?\d[\d.eE+-]*/)) return 'number'
  if (stream.match(/^[a-z]+/)) return 'keyword'
  const char = stream.next()
  if (char === '{' || char === '[') state.depth++
  if (char === '}' || char === ']') state.depth--
  return 'punctuation'
}

export const highlighting = syntaxHighlighting(
  HighlightStyle.define([
    { tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic' },
    { tag: tags.propertyName, color: 'var(--accent)' },
    { tag: tags.string, color: 'var(--delivered)' },
    { tag: [tags.number, tags.keyword], color: 'var(--dead-lettered)' },
    { tag: tags.punctuation, color: 'var(--muted)' },
  ]),
)
