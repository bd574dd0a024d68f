import { STATUS_CODES } from 'node:http'
import type { HeadgateError } from '../contract/errors.js'
import { problem } from './problem.js'

/** The bytes of an answer that no request of node:http belongs to. It closes its connection. */
export function rawAnswer(error: HeadgateError): { readonly status: number; readonly text: string } {
  const { status, headers, body } = problem(error)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const text =
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}` +
    `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
  return { status, text }
}
