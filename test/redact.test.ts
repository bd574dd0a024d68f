import { expect, test } from 'vitest'
import { redactor } from '../src/redact.js'

test('a value never appears, as it is or as it stands in JSON', () => {
  const value = 'p"ass\nword'
  const redact = redactor(new Map([[value, '${env:PASSWORD}']]))
  expect(redact(`it is ${value}`)).toBe('it is ${env:PASSWORD}')
  expect(redact(JSON.stringify({ password: value }))).toBe('{"password":"${env:PASSWORD}"}')
})

test('a value that contains another one is replaced whole', () => {
  const redact = redactor(
    new Map([
      ['secret', '${env:A}'],
      ['secret-longer', '${env:B}'],
    ]),
  )
  expect(redact('secret-longer, secret')).toBe('${env:B}, ${env:A}')
})
