import type { ErrorCode } from '../errors.js'

/** Anchors as `docs/errors.md` and `docs/lint.md` have them; relative to the package, where the docs lie too. */
export const errorLink = (code: ErrorCode): string => `docs/errors.md#${code.toLowerCase()}`
export const lintLink = (name: string): string => `docs/lint.md#${name}`
