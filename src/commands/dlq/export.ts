import { isUtf8 } from 'node:buffer'
import { closeSync, openSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { readLetters } from '../../dead-letters/find.js'
import { type Command, EXIT, type Io } from '../command.js'
import { asJson, counted } from './list.js'
import { readSelection, SELECTION_OPTIONS } from './selection.js'
import { find, withDeadLetters } from './session.js'

export const dlqExportCommand: Command = {
  name: 'export',
  summary: 'Writes dead letters to a file, as JSON lines.',
  details: `Each line has the place, the reason, the headers, and key and value as text, or as base64 where they are not UTF-8
("keyEncoding" and "valueEncoding" tell).`,
  options: [
    ...SELECTION_OPTIONS,
    { flags: '--out <file>', description: 'The file; "-" for standard output. Required.' },
    { flags: '--force', description: 'Writes over a file that exists.' },
  ],
  async run({ options }, io) {
    const read = readSelection(options, Date.now())
    const out = options['out'] as string | undefined
    const complaints = [
      ...(read.ok ? [] : read.complaints),
      ...(out === undefined ? ['Name a file with --out.'] : []),
    ]
    if (!read.ok || out === undefined) {
      io.err(`${complaints.join('\n')}\n`)
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
        if (out !== '-') io.err(`${counted(letters.length)} written to ${out}.\n`)
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
    err(
      code === 'EEXIST'
        ? `${out} exists; --force writes over it.\n`
        : `${out} cannot be written: ${message}.\n`,
    )
    return undefined
  }
}

const encoding = (bytes: Buffer): 'utf-8' | 'base64' => (isUtf8(bytes) ? 'utf-8' : 'base64')
const text = (bytes: Buffer): string => bytes.toString(encoding(bytes))
