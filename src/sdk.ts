/**
 * The API for authors of plugins, imported as `headgate/plugin`. It stays compatible for as long as `CONTRACT` is the same.
 * `headgate/conformance` has the checks that every plugin must pass.
 */
export { type Static, type TSchema, Type } from 'typebox'
export * from './contract/errors.js'
export * from './contract/index.js'
export { problem } from './http/problem.js'
export { parseBody, replaceAt } from './lib/json/body.js'
export { Pointer, pointer } from './lib/json/pointer.js'
export { Locator, locator, type PartLocator, requestPart } from './lib/locator.js'
export { bytes, Duration, milliseconds, Size } from './lib/units.js'
