import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lineRedactor, longestForm, redactor } from '../../src/process/redact.js'

const shownFor = (...secrets: string[]) =>
  new Map(secrets.map((secret, index) => [secret, `\${env:S${index}}`]))

test('a secret never appears, as it is, as it stands in JSON, or as it stands in a URL', () => {
  const secret = 'p"ass\nwo/rd'
  const redact = redactor(shownFor(secret))
  const inJson = JSON.stringify({ password: secret })
  expect(redact(`it is ${secret}`)).toBe('it is ${env:S0}')
  expect(redact(inJson)).toBe('{"password":"${env:S0}"}')
  expect(redact(JSON.stringify(inJson))).toBe('"{\\"password\\":\\"${env:S0}\\"}"')
  for (const form of [encodeURIComponent(secret), encodeURIComponent(secret).toLowerCase()])
    expect(redact(`?a=${form}&b=1`)).toBe('?a=${env:S0}&b=1')
  expect(redactor(shownFor('two words (1)'))('a=two+words+%281%29')).toBe('a=${env:S0}')
  expect(redactor(shownFor(' padded-token\n'))('Bearer padded-token')).toBe('Bearer ${env:S0}')
})

test('a secret that contains another one, or overlaps it, is replaced once', () => {
  const redact = redactor(shownFor('secret', 'secret-longer', 'longer-and-another-one'))
  expect(redact('secret-longer, secret')).toBe('${env:S1}, ${env:S0}')
  expect(redact('secret-longer-and-another-one')).toBe('${env:S2}')
})

test('what has been put in place of a secret is not looked into, in the same text or a later one', () => {
  const redact = redactor(
    new Map([
      ['WEBHOOK_TOKEN', '${env:WEBHOOK_TOKEN}'],
      ['file', '[hidden]'],
      ['hidden', '${file:./a}'],
    ]),
  )
  const once = redact('WEBHOOK_TOKEN and file and hidden')
  expect(once).toBe('${env:WEBHOOK_TOKEN} and [hidden] and ${file:./a}')
  expect(redact(once)).toBe(once)
})

describe('a short secret', () => {
  const redact = redactor(shownFor('hook', 'headgate', '9092'))

  test.each([
    'source.http-webhook',
    'webhook 3f-hook-1',
    'group headgate.cxone-data-actions',
    'at kafka-1.headgate.example:9092, hook.example.com:443',
    'https://headgate.example/hook/a and /hook',
    'hook_1 and hook-1 and hooks and Ünhook',
    'mail to hook@example.com and me@hook',
    'headgate.',
  ])('is left where it is part of a name, id, path or address: %s', (text) => {
    if (text !== 'headgate.') expect(redact(text)).toBe(text)
    else expect(redact(text)).toBe('${env:S1}.')
  })

  test.each([
    ['hook', '${env:S0}'],
    ['The token "hook" is wrong.', 'The token "${env:S0}" is wrong.'],
    ['It was hook.', 'It was ${env:S0}.'],
    ['hook: refused', '${env:S0}: refused'],
    ['token=hook&a=1', 'token=${env:S0}&a=1'],
    ['Authorization: Bearer hook', 'Authorization: Bearer ${env:S0}'],
    ['password:hook', 'password:${env:S0}'],
    ['redis://user:hook@host', 'redis://user:${env:S0}@host'],
    ['(hook)\nhook\thook', '(${env:S0})\n${env:S0}\t${env:S0}'],
  ])('is replaced where it stands alone: %j', (text, shown) => {
    expect(redact(text)).toBe(shown)
  })

  test('of less than four characters is not looked for', () => {
    expect(redactor(shownFor('a', '1', 'abc'))('a 1 abc')).toBe('a 1 abc')
  })
})

test('a secret of twelve characters is replaced within anything', () => {
  expect(redactor(shownFor('k7Qz-93mXw_L'))('/pathk7Qz-93mXw_L.more')).toBe('/path${env:S0}.more')
})

describe('a line of JSON', () => {
  test('keeps its structure, its numbers and the names that are ours, whatever the secrets are', () => {
    const line =
      '{"level":"info","pipeline":"orders","stage":"source.http-webhook","count":1234,"ok":true,"n":[1234,null],"msg":"orders true 1234","orders":{"true":"info"}}\n'
    const shown = lineRedactor(
      shownFor('true', '1234', 'orders', 'null', 'info', 'level', 'source.http-webhook'),
    )(line)
    expect(shown).toBe(
      '{"level":"info","pipeline":"orders","stage":"source.http-webhook","count":1234,"ok":true,"n":[1234,null],"msg":"${env:S2} ${env:S0} ${env:S1}","orders":{"true":"${env:S4}"}}\n',
    )
  })

  test('has no long secret in the name of a member either', () => {
    const line = JSON.stringify({ headers: { 'k7Qz-93mXw_L': 'x' }, msg: '' })
    expect(lineRedactor(shownFor('k7Qz-93mXw_L'))(line)).toBe('{"headers":{"${env:S0}":"x"},"msg":""}')
  })

  test('that is none after all is redacted as text', () => {
    expect(lineRedactor(shownFor('hush-hush'))('{"a": hush-hush')).toBe('{"a": ${env:S0}')
  })
})

const SOME = ['hook', 'webhook', 'headgate', 'env', 'hidden', 'level', 'msg', 'true', '1234', 'kafka-1:9092']
const word = fc.constantFrom(...SOME)
const secret = fc.oneof(
  word,
  fc.tuple(word, word).map((words) => words.join('-')),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
  fc.string({ unit: fc.constantFrom('a', 'b', '"', '\\', '%', '\n', '/'), minLength: 1, maxLength: 20 }),
)
const secretsArbitrary = fc
  .array(secret, { minLength: 1, maxLength: 6 })
  .map((secrets) => new Map([...new Set(secrets)].map((one, index) => [one, `<<${index}>>`])))
/** Texts in which secrets stand alone, overlap, and are cut. */
const textWith = (secrets: readonly string[]) =>
  fc
    .array(
      fc.oneof(
        fc.constantFrom(...secrets),
        fc.constantFrom(...secrets).map((one) => one.slice(0, -1)),
        word,
        fc.constantFrom(' ', '"', ', ', '='),
        fc.string({ maxLength: 5 }),
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(''))
const cases = secretsArbitrary.chain((secrets) =>
  fc.tuple(fc.constant(secrets), textWith([...secrets.keys()])),
)
const pieces = (text: string): string[] => text.split(/<<\d+>>/)
const alone = (one: string) => one.length >= 4 && one.length < 12

describe('for any secrets and texts', () => {
  test('no long secret survives in any form, and no short one where it stands alone', () => {
    fc.assert(
      fc.property(cases, ([secrets, text]) => {
        for (const [one] of secrets) {
          for (const form of [one, JSON.stringify(one).slice(1, -1)]) {
            const around = redactor(secrets)(`${text} "${form}" ${text}`)
            if (one.length >= 12) for (const piece of pieces(around)) expect(piece).not.toContain(form)
            else if (alone(one))
              for (const piece of pieces(around)) expect(piece).not.toContain(` "${form}" `)
          }
        }
      }),
    )
  })

  test('a text without any of them is left as it is', () => {
    fc.assert(
      fc.property(secretsArbitrary, fc.string({ unit: 'grapheme', maxLength: 60 }), (secrets, text) => {
        const forms = [...secrets.keys()].flatMap((one) => [one.trim(), encodeURIComponent(one)])
        fc.pre(!forms.some((one) => one.length >= 4 && text.toLowerCase().includes(one.toLowerCase())))
        expect(redactor(secrets)(text)).toBe(text)
      }),
    )
  })

  test('a line of JSON stays one, with the same names, numbers and structure, and has no secret in its texts', () => {
    const shape = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(shape)
        : typeof value === 'object' && value !== null
          ? Object.values(value).map(shape)
          : typeof value === 'string'
            ? ''
            : value
    fc.assert(
      fc.property(cases, fc.json(), ([secrets, text], more) => {
        const line = `${JSON.stringify({ level: text, msg: text, more: JSON.parse(more), [`x${text}`]: [text, { err: text }] })}\n`
        const shown = lineRedactor(secrets)(line)
        expect(shape(JSON.parse(shown))).toEqual(shape(JSON.parse(line)))
        expect(shown.endsWith('}\n')).toBe(true)
        const { level, msg } = JSON.parse(shown)
        expect(level).toBe(text)
        expect(msg).toBe(redactor(secrets)(text))
      }),
    )
  })

  test('no form of a secret is longer than the longest that is known', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4 }), (one) => {
        fc.pre(one.trim().length >= 4)
        expect(longestForm(new Map([[one, '']]))).toBeGreaterThanOrEqual(JSON.stringify(one).length - 2)
      }),
    )
  })
})
