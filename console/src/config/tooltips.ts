import { hoverTooltip } from '@codemirror/view'
import { type Explanation, explanationAt } from './assistance.js'
import type { Schema } from './schema-at.js'

/** Explains the setting under the pointer. */
export const explanations = (schema: Schema) =>
  hoverTooltip((view, pos) => {
    const found = explanationAt(schema, view.state.doc.toString(), pos)
    return found === undefined
      ? null
      : { pos: found.from, end: found.to, above: true, create: () => ({ dom: tooltip(found) }) }
  })

function tooltip({ name, type, preset, description, expected }: Explanation): HTMLElement {
  const dom = document.createElement('div')
  dom.className = 'explanation'
  const add = (tag: 'p' | 'b' | 'code', content: string, parent: HTMLElement = dom) => {
    const element = document.createElement(tag)
    element.textContent = content
    parent.append(element)
    return element
  }
  const head = add('p', '')
  add('b', name, head)
  if (type !== '') head.append(` ${type}`)
  if (preset !== undefined) {
    head.append(', default ')
    add('code', preset, head)
  }
  add('p', description)
  if (expected !== undefined) add('p', expected)
  return dom
}
