import type { CheckedConfig } from '../../config/read.js'

/**
 * The references in a text that the running config does not use. A message or a dry run could contain their values, so they are
 * resolved only for those who may write the config.
 */
export function unusedReferences(text: string, config: Pick<CheckedConfig, 'written'>): string[] {
  const used = new Set(referencesIn(JSON.stringify(config.written)))
  return referencesIn(text).filter((reference) => !used.has(reference))
}

export const referencesIn = (text: string): string[] => text.match(/\$\{[^}]*\}/g) ?? []

export const referenceRefused = (reference: string): string =>
  `The running config does not use the reference ${reference}. It is resolved only if HEADGATE_CONFIG_WRITABLE is true.`
