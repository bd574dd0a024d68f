import { isUtf8 } from 'node:buffer'
import { createRequire } from 'node:module'
import type { SaxesParser, SaxesTagPlain } from 'saxes'
import { HeadgateError } from '../../contract/errors.js'
import {
  addField,
  type Decoded,
  type Fields,
  malformed,
  newFields,
  notUtf8,
  tooManyFields,
} from './fields.js'

export interface XmlLimits {
  readonly maxDepth: number
  /** Elements and attributes. */
  readonly maxFields: number
}

/** The text of an element that also has attributes or elements. No XML name contains the character. */
const TEXT = '#text'
const ATTRIBUTE = '@'
const UTF_8 = new Set(['utf-8', 'utf8', 'us-ascii'])

/**
 * The root element of an XML document, as an object with its name. An element with nothing but text is that text; any other is an
 * object with its attributes, its text and its elements. A document type is refused, and with it every entity but the five of
 * XML itself: they can make a small document large, or name files.
 */
export function xmlFields(bytes: Buffer, limits: XmlLimits): Decoded {
  if (!isUtf8(bytes)) throw notUtf8()
  return new XmlReader(limits).read(bytes.toString())
}

const require = createRequire(import.meta.url)

/** Loaded with the first document: most sources take no XML. */
function newParser(): SaxesParser<{ xmlns: false }> {
  const saxes: typeof import('saxes') = require('saxes')
  return new saxes.SaxesParser({ xmlns: false })
}

interface Element {
  readonly name: string
  readonly fields: Fields
  /** It has attributes or elements. */
  isObject: boolean
  hasElements: boolean
  text: string
}

class XmlReader {
  readonly #limits: XmlLimits
  readonly #parser = newParser()
  readonly #open: Element[] = []
  readonly #document = newFields()
  #fields = 0

  constructor(limits: XmlLimits) {
    this.#limits = limits
    const parser = this.#parser
    // Its messages quote the document, which does not belong in a log.
    parser.on('error', () => {
      throw malformed(`The body is not XML: it is malformed at line ${parser.line}, column ${parser.column}.`)
    })
    parser.on('doctype', () => {
      throw malformed('The XML has a document type (DOCTYPE), which is not accepted.')
    })
    parser.on('xmldecl', ({ encoding }) => {
      if (encoding !== undefined && !UTF_8.has(encoding.toLowerCase()))
        throw new HeadgateError('HG_INTAKE_NOT_UTF8', 'The XML declares another encoding than UTF-8.')
    })
    parser.on('attribute', () => this.#count())
    parser.on('opentag', (tag) => this.#opened(tag))
    parser.on('text', (text) => this.#text(text))
    parser.on('cdata', (text) => this.#text(text))
    parser.on('closetag', () => this.#closed())
  }

  read(text: string): Decoded {
    this.#parser.write(text).close()
    return this.#document
  }

  #count(): void {
    const { maxFields } = this.#limits
    if (++this.#fields > maxFields) throw tooManyFields(maxFields)
  }

  #opened({ name, attributes }: SaxesTagPlain): void {
    const { maxDepth } = this.#limits
    this.#count()
    if (this.#open.length === maxDepth)
      throw new HeadgateError('HG_INTAKE_TOO_DEEP', `The XML is nested more than ${maxDepth} deep.`)
    const fields = newFields()
    const names = Object.keys(attributes)
    for (const attribute of names) fields[`${ATTRIBUTE}${attribute}`] = attributes[attribute] as string
    this.#open.push({ name, fields, isObject: names.length > 0, hasElements: false, text: '' })
  }

  #text(text: string): void {
    const element = this.#open.at(-1)
    if (element !== undefined) element.text += text
  }

  #closed(): void {
    const { name, fields, isObject, hasElements, text } = this.#open.pop() as Element
    // White space between elements is layout.
    if (isObject && text !== '' && !(hasElements && text.trim() === '')) fields[TEXT] = text
    const parent = this.#open.at(-1)
    if (parent !== undefined) {
      parent.isObject = true
      parent.hasElements = true
    }
    addField(parent?.fields ?? this.#document, name, isObject ? fields : text)
  }
}
