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
  for (const { path, value } of differences(['pipelines', name], pipelines[name], pipeline))
    edited = applyEdits(edited, modify(edited, path, value, { formattingOptions: formatOf(text) }))
  return edited
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

const formatOf = (text: string) => {
  const [, indent = '  '] = /^([ \t]+)\S/m.exec(text) ?? []
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  return { insertSpaces: !indent.startsWith('\t'), tabSize: indent.length, eol }
}
