import { describe, expect, it } from 'vitest'
import { eventOf, nameIn, type Rules, stage } from './setup.js'

const chosen = async (when: Rules[string], text: string) =>
  nameIn(await stage({ yes: when }).apply(eventOf(text))) === 'yes'

describe('the digits that were sent decide', () => {
  it.each<[Rules[string], string, boolean]>([
    [{ regex: '^9007199254740993$', at: '/id' }, '{"id": 9007199254740993}', true],
    [{ regex: '^9007199254740992$', at: '/id' }, '{"id": 9007199254740993}', false],
    [{ regex: '^1234567890123456789$', at: '/a/id' }, '{"a": {"id": 1234567890123456789}}', true],
    [{ regex: '^1\\.50$', at: '/price' }, '{"price": 1.50}', true],
    [{ regex: '^null$', at: '/a' }, '{"a": 1e400}', false],
    [{ regex: '^1e400$', at: '/a' }, '{"a": 1e400}', true],
    [{ regex: '^\\[1234567890123456789\\]$', at: '/ids' }, '{"ids": [1234567890123456789]}', true],
    [{ regex: '"id":1234567890123456789[,}]' }, '{"payload": {"id": 1234567890123456789}}', true],
    [{ regex: '"a":null' }, '{"payload": {"a": 1e400}}', false],
    [{ jsonata: 'id = 9007199254740993' }, '{"id": 9007199254740993}', true],
    [{ jsonata: 'id = 9007199254740993' }, '{"id": 9007199254740992}', false],
    [{ jsonata: 'id = 9007199254740993' }, '{"id": 9007199254740993.0}', true],
    [{ jsonata: 'id = 9007199254740992' }, '{"id": 9007199254740993}', false],
    [{ jsonata: '9007199254740993 != id' }, '{"id": 9007199254740992}', true],
    [{ jsonata: 'id != 9007199254740993' }, '{"id": 9007199254740993}', false],
    [{ jsonata: 'id in [1, 9007199254740993]' }, '{"id": 9007199254740992}', false],
    [{ jsonata: 'id in [1, 9007199254740993]' }, '{"id": 9007199254740993}', true],
    [{ jsonata: 'id = -9007199254740993' }, '{"id": -9007199254740993}', true],
    [{ jsonata: 'id = -9007199254740993' }, '{"id": -9007199254740992}', false],
    [{ jsonata: 'price = 1.5' }, '{"price": 1.50}', true],
    [{ jsonata: 'price = 0.1' }, '{"price": 0.10000000000000000555}', false],
    [{ jsonata: 'n = 100' }, '{"n": 1e2}', true],
    [{ jsonata: 'a = null' }, '{"a": 1e400}', false],
  ])('%j of %s: %s', async (when, text, expected) => {
    expect(await chosen(when, text)).toBe(expected)
  })

  it('among many rules too', async () => {
    const rules = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [
        `r${n}`,
        n % 2 === 0
          ? { jsonata: `id = 90071992547409${70 + n}` }
          : { regex: `^90071992547409${70 + n}$`, at: '/id' },
      ]),
    )
    for (let n = 0; n < 20; n++)
      expect(nameIn(await stage(rules).apply(eventOf(`{"id": 90071992547409${70 + n}}`)))).toBe(`r${n}`)
    expect(nameIn(await stage(rules).apply(eventOf('{"id": 9007199254740991}')))).toBe('otherwise')
  })
})
