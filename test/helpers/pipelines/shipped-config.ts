import { readFileSync } from 'node:fs'
import { parse } from 'jsonc-parser'

const SCHEMA = 'schemas/cxone-data-action.schema.json'

/** A changed copy of the shipped config and the files that it refers to: files by name, for `temporaryDirectory`. */
export function shippedFiles(
  // biome-ignore lint/suspicious/noExplicitAny: a config as a user writes it
  changes: { readonly [file: string]: (pipeline: any) => void } = { 'plugins.config.json': () => {} },
): { readonly [path: string]: string } {
  const text = readFileSync('plugins.config.json', 'utf8')
  const configs = Object.entries(changes).map(([file, change]) => {
    const config = parse(text)
    change(config.pipelines['cxone-data-actions'])
    return [file, JSON.stringify(config)]
  })
  return { ...Object.fromEntries(configs), [SCHEMA]: readFileSync(SCHEMA, 'utf8') }
}

/** An event of the shipped config. */
export const dataAction = (id: string, payload: object): string =>
  JSON.stringify({
    dataActionId: id,
    eventType: 'contact.updated',
    timestamp: '2026-01-31T12:00:00Z',
    payload,
  })
