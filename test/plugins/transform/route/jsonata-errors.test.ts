import { expect, test } from 'vitest'
import { evaluationError } from '../../../../src/plugins/transform/route/jsonata-errors.js'

test('an expression that fails on a value which contains itself fails its event, without the value', () => {
  const value: Record<string, unknown> = { secret: 'sesame' }
  value['c'] = value
  const thrown = Object.assign(new Error('The left side is {"secret":"sesame"}.'), { code: 'T2001', value })
  const { kind, message } = evaluationError('vip', thrown)
  expect(kind).toBe('data')
  expect(message).toContain('a value contains itself (T2001)')
  expect(message).not.toContain('sesame')
})
