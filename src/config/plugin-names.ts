/**
 * How a plugin is named that is no built-in: by a path, or by an npm package with a scope or with the prefix `headgate-`.
 * Any other name is that of a built-in, so that a misspelt one can load nothing.
 */
export const PATH = '^(?:\\.{1,2}/|/).*[^/]$'
export const PACKAGE = '^(?:@[a-z0-9~-][a-z0-9._~-]*/[a-z0-9~-][a-z0-9._~-]*|headgate-[a-z0-9._~-]+)$'

const path = new RegExp(PATH)
const packageName = new RegExp(PACKAGE)

export const isPath = (name: string): boolean => path.test(name)
export const isExternal = (name: string): boolean => isPath(name) || packageName.test(name)
