import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { applyEdits, type JSONPath, modify, parse } from 'jsonc-parser'
import { isObject } from './plain-object.js'

/**
 * The text of the config file as it would be with this pipeline, or without it where that is undefined. Only what is
 * different is written anew: comments elsewhere stay.
 */
export async function candidate(file: string, name: string, pipeline: object | undefined): Promise<string> {
  const text = await readFile(file, 'utf8')
  const before: unknown = parse(text, [], { allowTrailingComma: true })
  const pipelines = isObject(before) && isObject(before['pipelines']) ? before['pipelines'] : {}
  let edited = text
  const format = formatOf(text)
  for (const { path, value } of differences(['pipelines', name], pipelines[name], pipeline)) {
    const stand = value === undefined ? undefined : PLACEHOLDER
    edited = filled(
      applyEdits(edited, modify(edited, path, stand, { formattingOptions: format })),
      value,
      format,
    )
  }
  return edited
}

/**
 * Stands for a value while jsonc-parser places it. The time that it takes to format one grows with the square of its lines: ten
 * minutes for nine thousand rules.
 */
const PLACEHOLDER = '\u0000'

function filled(text: string, value: unknown, { insertSpaces, tabSize, eol }: Format): string {
  const written = JSON.stringify(PLACEHOLDER)
  const at = value === undefined ? -1 : text.indexOf(written)
  if (at === -1) return text
  const [indent] = /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', at) + 1)) ?? ['']
  const json = JSON.stringify(value, undefined, insertSpaces ? tabSize : '\t').replaceAll('\n', eol + indent)
  return text.slice(0, at) + json + text.slice(at + written.length)
}

/** A pipeline as the file says it, with the secrets that are written there. */
export async function pipelineIn(file: string, name: string): Promise<object> {
  const config: unknown = parse(await readFile(file, 'utf8'), [], { allowTrailingComma: true })
  const pipelines = isObject(config) ? config['pipelines'] : undefined
  const pipeline = isObject(pipelines) ? pipelines[name] : undefined
  return isObject(pipeline) ? pipeline : {}
}

interface Difference {
  readonly path: JSONPath
  /** Undefined where it goes. */
  readonly value: unknown
}

function differences(path: JSONPath, before: unknown, after: unknown): Difference[] {
  if (isDeepStrictEqual(before, after)) return []
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...keys].flatMap((key) => differences([...path, key], before[key], after[key]))
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return after.flatMap((element, index) => differences([...path, index], before[index], element))
  return [{ path, value: after }]
}

interface Format {
  readonly insertSpaces: boolean
  readonly tabSize: number
  readonly eol: string
}

const formatOf = (text: string): Format => {
  const [, indent = '  '] = /^([ \t]+)\S/m.exec(text) ?? []
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  return { insertSpaces: !indent.startsWith('\t'), tabSize: indent.length, eol }
}
