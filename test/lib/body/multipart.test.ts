import { describe, expect, it } from 'vitest'
import { multipartFields } from '../../../src/lib/body/multipart.js'

const read = (text: string | Buffer, maxFields = 10) =>
  JSON.parse(JSON.stringify(multipartFields(Buffer.from(text), 'b', maxFields)))

const part = (disposition: string, content: string, more = '') =>
  `--b\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n${content}\r\n`
const END = '--b--\r\n'

describe('multipartFields', () => {
  it('reads fields as texts, those of one name as an array', () => {
    expect(read(part('name="a"', '1') + part('name=b', 'ä') + part('name="a"', '') + END)).toEqual({
      a: ['1', ''],
      b: 'ä',
    })
  })

  it('reads a file, and text that is not UTF-8, as base64', () => {
    const file = part('name="f"; filename="x.png"', '\u0000', 'Content-Type: image/png\r\n')
    expect(read(file + END)).toEqual({
      f: { filename: 'x.png', type: 'image/png', base64: 'AA==' },
    })
    const latin1 = Buffer.from(`${part('name="t"', 'ä')}${END}`, 'latin1')
    expect(read(latin1)).toEqual({ t: { base64: '5A==' } })
  })

  it.each([
    ['name="a%22b%0D%0A"', 'a"b\r\n'],
    ['name="a\\"b"', 'a"b'],
    ['name="C:\\x"', 'C:\\x'],
    // Browsers escape no backslash.
    ['name="\\"', '\\'],
    ['name="C:\\"; filename="x"', 'C:\\'],
    ['name="a;b"', 'a;b'],
    ['NAME="a"', 'a'],
    ['name="__proto__"', '__proto__'],
  ])('reads the name of %s', (disposition, name) => {
    expect(Object.keys(read(part(disposition, '1') + END))).toEqual([name])
  })

  it('skips text before the first part and behind the last, and white space behind a boundary', () => {
    const body = `preamble\r\n--b \t\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\nepilogue`
    expect(read(body)).toEqual({ a: '1' })
    expect(read(END)).toEqual({})
  })

  it('keeps line ends and dashes in a content', () => {
    expect(read(part('name="a"', '\r\n--x\r\n--\r\n') + END)).toEqual({ a: '\r\n--x\r\n--\r\n' })
  })

  it.each([
    ['no boundary at all', 'a=1', 'does not contain the boundary'],
    ['no end', part('name="a"', '1'), 'ends within a part'],
    [
      'an end within a content',
      '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1',
      'ends within a part',
    ],
    ['an end within headers', '--b\r\nContent-Disposition: form-data', 'ends within a part'],
    ['a boundary that goes on', part('name="a"', '1\r\n--bc') + END, 'end of its line'],
    ['a part without headers', `--b\r\n\r\n1\r\n${END}`, 'not form-data'],
    ['an attachment', `--b\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n${END}`, 'not form-data'],
    ['a part without a name', part('filename="x"', '1') + END, 'no name'],
    ['a malformed header', part('name="a"', '1', 'x\r\n') + END, 'malformed header'],
  ])('refuses %s', (_what, text, message) => {
    expect(() => read(text)).toThrow(message)
  })

  it('bounds the number of parts', () => {
    expect(() => read(part('name="a"', '').repeat(10) + END)).not.toThrow()
    expect(() => read(part('name="a"', '').repeat(11) + END)).toThrow('more than 10 fields')
  })
})
