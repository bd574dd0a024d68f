import { isUtf8 } from 'node:buffer'
import { closeSync, openSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { readLetters } from '../../dead-letters/find.js'
import { type Command, EXIT, type Io } from '../command.js'
import { asJson, countLetters } from './list.js'
import { readSelection, SELECTION_OPTIONS } from './selection.js'
import { find, withDeadLetters } from './session.js'

export const dlqExportCommand: Command = {
  name: 'export',
  summary: 'Writes dead letters to a file, as JSON lines.',
  details: `Each line has the position, the reason, the headers, and key and value as text, or as base64 if they are not UTF-8
(see "keyEncoding" and "valueEncoding").`,
  options: [
    ...SELECTION_OPTIONS,
    { flags: '--out <file>', description: 'The file; "-" for standard output. Required.' },
    { flags: '--force', description: 'Overwrites an existing file.' },
  ],
  async run({ options }, io) {
    const read = readSelection(options, Date.now())
    const out = options['out'] as string | undefined
    const problems = [
      ...(read.ok ? [] : read.problems),
      ...(out === undefined ? ['Give a file with --out.'] : []),
    ]
    if (!read.ok || out === undefined) {
      io.err(`${problems.join('\n')}\n`)
      return EXIT.usage
    }
    return withDeadLetters(options, io, false, async (session) => {
      const file = openOutput(out, options['force'] === true, io)
      if (file === undefined) return EXIT.wrong
      try {
        const { letters } = await find(session, read.selection, io, false)
        await readLetters(session.log, letters, (found, record) => {
          const { key, value } = record
          const line = {
            ...asJson(found),
            headers: record.headers(),
            key: key === null ? null : text(key),
            ...(key !== null && { keyEncoding: encoding(key) }),
            value: text(value),
            valueEncoding: encoding(value),
          }
          file.write(`${JSON.stringify(line)}\n`)
        })
        if (out !== '-') io.err(`${countLetters(letters.length)} written to ${out}.\n`)
        return EXIT.ok
      } finally {
        file.close()
      }
    })
  },
}

function openOutput(out: string, force: boolean, { cwd, out: write, err }: Io) {
  if (out === '-') return { write, close() {} }
  try {
    const file = openSync(resolve(cwd, out), force ? 'w' : 'wx')
    return { write: (line: string) => void writeSync(file, line), close: () => closeSync(file) }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    err(code === 'EEXIST' ? `${out} exists; --force overwrites it.\n` : `Cannot write ${out}: ${message}.\n`)
    return undefined
  }
}

const encoding = (bytes: Buffer): 'utf-8' | 'base64' => (isUtf8(bytes) ? 'utf-8' : 'base64')
const text = (bytes: Buffer): string => bytes.toString(encoding(bytes))
