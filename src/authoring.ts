/**
 * Everything that the author of a plugin imports, as `headgate/plugin`. It stays compatible as long as `CONTRACT` does.
 * `headgate/conformance` has the checks that every plugin must pass.
 */
export { type Static, type TSchema, Type } from 'typebox'
export * from './errors.js'
export { problem } from './http/problem.js'
export { parseBody } from './json/body.js'
export { Pointer, pointer } from './json/pointer.js'
export { replaceAt } from './json/replace.js'
export * from './plugin.js'
export { bytes, Duration, milliseconds, Size } from './units.js'
