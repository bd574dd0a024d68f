import { expect, test } from 'vitest'
import { asHeadgateError, HeadgateError } from '../../src/contract/errors.js'

test('an error of another copy of the module is an error all the same', async () => {
  const copy = '../../src/contract/errors.js?copy'
  const other: typeof import('../../src/contract/errors.js') = await import(copy)
  const error = new other.HeadgateError('HG_PLUGIN_REFUSED', 'No.')
  expect(other.HeadgateError).not.toBe(HeadgateError)
  expect(error instanceof HeadgateError).toBe(true)
  expect(asHeadgateError(error, 'mask')).toBe(error)
})

test('what is no error of ours, or has a code that we do not know, is a fault of the plugin', () => {
  const newer = Object.assign(new HeadgateError('HG_PLUGIN_REFUSED', 'No.'), { code: 'HG_OF_THE_FUTURE' })
  for (const thrown of [newer, new Error('No.'), undefined, 'No.', { code: 'HG_PLUGIN_REFUSED' }]) {
    expect(thrown instanceof HeadgateError).toBe(false)
    expect(asHeadgateError(thrown, 'mask')).toMatchObject({
      code: 'HG_PLUGIN_FAILED',
      kind: 'infrastructure',
    })
  }
})

test('an error cannot be made with a code that there is not', () => {
  for (const code of ['HG_ACME_NO', 'toString', undefined])
    expect(() => new HeadgateError(code as never, 'No.')).toThrow('There is no error code')
})
