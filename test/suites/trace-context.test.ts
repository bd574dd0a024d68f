import { describe, expect, it } from 'vitest'
import { rawConnection } from '../helpers/raw-connection.js'
import { echo, listen, ok } from '../http/setup.js'
import { countSuite } from './count.js'

/**
 * Written after the test suite that the W3C publishes with Trace Context (github.com/w3c/trace-context, test/test.py), with
 * the names of its tests, as requests on a real connection. The suite harnesses a service that starts traces of its own: its "a new trace
 * is started" is here "nothing is passed on". Where level 2 differs from level 1, level 2 counts.
 */
type Lines = readonly (readonly [string, string])[]
type Case = readonly [
  name: string,
  lines: Lines,
  traceparent: string | undefined,
  tracestate: string | undefined,
]

const TRACE = '12345678901234567890123456789012'
const SPAN = '1234567890123456'
const PARENT = `00-${TRACE}-${SPAN}-01`
const parent = ['traceparent', PARENT] as const
const withState = (...values: string[]): Lines => [
  parent,
  ...values.map((value) => ['tracestate', value] as const),
]
const none = (name: string, value: string): Case => [name, [['traceparent', value]], undefined, undefined]
const passed = (name: string, expected: string | undefined, ...values: string[]): Case => [
  name,
  withState(...values),
  PARENT,
  expected,
]
const members = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => `bar${String(from + n).padStart(2, '0')}=${from + n}`).join(
    ',',
  )

const cases: readonly Case[] = [
  ['test_both_traceparent_and_tracestate_missing', [], undefined, undefined],
  ['test_traceparent_included_tracestate_missing', [parent], PARENT, undefined],
  [
    'test_traceparent_duplicated',
    [parent, ['traceparent', `00-${TRACE}-1234567890123457-01`]],
    undefined,
    undefined,
  ],
  ['test_traceparent_header_name: trace-parent', [['trace-parent', PARENT]], undefined, undefined],
  ['test_traceparent_header_name: trace.parent', [['trace.parent', PARENT]], undefined, undefined],
  ['test_traceparent_header_name_valid_casing: TraceParent', [['TraceParent', PARENT]], PARENT, undefined],
  ['test_traceparent_header_name_valid_casing: TrAcEpArEnT', [['TrAcEpArEnT', PARENT]], PARENT, undefined],
  ['test_traceparent_header_name_valid_casing: TRACEPARENT', [['TRACEPARENT', PARENT]], PARENT, undefined],
  ['test_traceparent_version_0x00: valid', [parent], PARENT, undefined],
  none('test_traceparent_version_0x00: a dot behind', `${PARENT}.`),
  none('test_traceparent_version_0x00: a dash behind', `${PARENT}-what-the-future-will-be-like`),
  ['test_traceparent_version_0xcc', [['traceparent', `cc-${TRACE}-${SPAN}-01`]], PARENT, undefined],
  [
    'test_traceparent_version_0xcc: more behind a dash',
    [['traceparent', `cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`]],
    PARENT,
    undefined,
  ],
  none(
    'test_traceparent_version_0xcc: more without a dash',
    `cc-${TRACE}-${SPAN}-01.what-the-future-will-be-like`,
  ),
  none('test_traceparent_version_0xff', `ff-${TRACE}-${SPAN}-01`),
  none('test_traceparent_version_illegal_characters: .0', `.0-${TRACE}-${SPAN}-01`),
  none('test_traceparent_version_illegal_characters: 0.', `0.-${TRACE}-${SPAN}-01`),
  none('test_traceparent_version_too_long: 000', `000-${TRACE}-${SPAN}-01`),
  none('test_traceparent_version_too_long: 0000', `0000-${TRACE}-${SPAN}-01`),
  none('test_traceparent_version_too_short: 0', `0-${TRACE}-${SPAN}-01`),
  none('test_traceparent_trace_id_all_zero', `00-${'0'.repeat(32)}-${SPAN}-01`),
  none(
    'test_traceparent_trace_id_illegal_characters: .2345678901234567890123456789012',
    `00-.${TRACE.slice(1)}-${SPAN}-01`,
  ),
  none(
    'test_traceparent_trace_id_illegal_characters: 1234567890123456789012345678901.',
    `00-${TRACE.slice(1)}.-${SPAN}-01`,
  ),
  none('test_traceparent_trace_id_too_long', `00-${TRACE}3-${SPAN}-01`),
  none('test_traceparent_trace_id_too_short', `00-${TRACE.slice(1)}-${SPAN}-01`),
  none('test_traceparent_parent_id_all_zero', `00-${TRACE}-${'0'.repeat(16)}-01`),
  none('test_traceparent_parent_id_illegal_characters: .234567890123456', `00-${TRACE}-.${SPAN.slice(1)}-01`),
  none('test_traceparent_parent_id_illegal_characters: 123456789012345.', `00-${TRACE}-${SPAN.slice(1)}.-01`),
  none('test_traceparent_parent_id_too_long', `00-${TRACE}-${SPAN}7-01`),
  none('test_traceparent_parent_id_too_short', `00-${TRACE}-${SPAN.slice(1)}-01`),
  none('test_traceparent_trace_flags_illegal_characters: .0', `00-${TRACE}-${SPAN}-.0`),
  none('test_traceparent_trace_flags_illegal_characters: 0.', `00-${TRACE}-${SPAN}-0.`),
  none('test_traceparent_trace_flags_too_long', `00-${TRACE}-${SPAN}-001`),
  none('test_traceparent_trace_flags_too_short', `00-${TRACE}-${SPAN}-1`),
  ['test_traceparent_ows_handling: a space before', [['traceparent', ` ${PARENT}`]], PARENT, undefined],
  ['test_traceparent_ows_handling: a tab before', [['traceparent', `\t${PARENT}`]], PARENT, undefined],
  ['test_traceparent_ows_handling: a space behind', [['traceparent', `${PARENT} `]], PARENT, undefined],
  ['test_traceparent_ows_handling: a tab behind', [['traceparent', `${PARENT}\t`]], PARENT, undefined],
  ['test_traceparent_ows_handling: both', [['traceparent', `\t ${PARENT} \t`]], PARENT, undefined],
  ['test_tracestate_included_traceparent_missing', [['tracestate', 'foo=1']], undefined, undefined],
  ['test_tracestate_included_traceparent_included', withState('foo=1,bar=2'), PARENT, 'foo=1,bar=2'],
  ['test_tracestate_header_name: trace-state', [parent, ['trace-state', 'foo=1']], PARENT, undefined],
  ['test_tracestate_header_name: trace.state', [parent, ['trace.state', 'foo=1']], PARENT, undefined],
  [
    'test_tracestate_header_name_valid_casing: TraceState',
    [parent, ['TraceState', 'foo=1']],
    PARENT,
    'foo=1',
  ],
  [
    'test_tracestate_header_name_valid_casing: TRACESTATE',
    [parent, ['TRACESTATE', 'foo=1']],
    PARENT,
    'foo=1',
  ],
  passed('test_tracestate_empty_header: behind', 'foo=1, ', 'foo=1', ''),
  passed('test_tracestate_empty_header: before', ', foo=1', '', 'foo=1'),
  passed(
    'test_tracestate_multiple_headers_different_keys',
    'foo=1,bar=2, rojo=1,congo=2, baz=3',
    'foo=1,bar=2',
    'rojo=1,congo=2',
    'baz=3',
  ),
  passed('test_tracestate_duplicated_keys: same value', 'foo=1,foo=1', 'foo=1,foo=1'),
  passed('test_tracestate_duplicated_keys: other value', 'foo=1,foo=2', 'foo=1,foo=2'),
  passed('test_tracestate_duplicated_keys: two headers', 'foo=1, foo=2', 'foo=1', 'foo=2'),
  passed('test_tracestate_all_allowed_characters', 'foo=1,z0_-*/=2', 'foo=1,z0_-*/=2'),
  passed(
    'test_tracestate_all_allowed_characters: value',
    `foo=${allowedInValues()}`,
    `foo=${allowedInValues()}`,
  ),
  passed(
    'test_tracestate_ows_handling: around commas',
    'foo=1 \t , \t bar=2, \t baz=3',
    'foo=1 \t , \t bar=2, \t baz=3',
  ),
  passed('test_tracestate_ows_handling: around the header', 'foo=1', '\t foo=1 \t'),
  passed('test_tracestate_key_illegal_characters: foo =1', undefined, 'foo =1'),
  passed('test_tracestate_key_illegal_characters: FOO=1', undefined, 'FOO=1'),
  passed('test_tracestate_key_illegal_characters: foo.bar=1', undefined, 'foo.bar=1'),
  passed('test_tracestate_key_illegal_vendor_format: foo@=1,bar=2 (level 2)', 'foo@=1,bar=2', 'foo@=1,bar=2'),
  passed('test_tracestate_key_illegal_vendor_format: @foo=1,bar=2', undefined, '@foo=1,bar=2'),
  passed(
    'test_tracestate_key_illegal_vendor_format: foo@@bar=1,bar=2 (level 2)',
    'foo@@bar=1,bar=2',
    'foo@@bar=1,bar=2',
  ),
  passed(
    'test_tracestate_key_illegal_vendor_format: foo@bar@baz=1 (level 2)',
    'foo@bar@baz=1,bar=2',
    'foo@bar@baz=1,bar=2',
  ),
  passed('test_tracestate_key_first_character: a digit (level 2)', '1a=1', '1a=1'),
  passed('test_tracestate_key_first_character: an underscore', undefined, '_a=1'),
  passed('test_tracestate_key_length_limit: 256', `${'z'.repeat(256)}=1`, `${'z'.repeat(256)}=1`),
  passed('test_tracestate_key_length_limit: 257', undefined, `${'z'.repeat(257)}=1`),
  passed(
    'test_tracestate_key_length_limit: tenant and vendor',
    `${'t'.repeat(241)}@${'v'.repeat(14)}=1`,
    `${'t'.repeat(241)}@${'v'.repeat(14)}=1`,
  ),
  passed(
    'test_tracestate_key_length_limit: a longer vendor (level 2)',
    `${'t'.repeat(240)}@${'v'.repeat(15)}=1`,
    `${'t'.repeat(240)}@${'v'.repeat(15)}=1`,
  ),
  passed(
    'test_tracestate_key_length_limit: both too long',
    undefined,
    `${'t'.repeat(242)}@${'v'.repeat(14)}=1`,
  ),
  passed('test_tracestate_value_illegal_characters: foo=bar=baz', undefined, 'foo=bar=baz'),
  passed('test_tracestate_value_illegal_characters: foo=,bar=3', undefined, 'foo=,bar=3'),
  passed('test_tracestate_member_count_limit: 32', members(1, 32), members(1, 32)),
  passed(
    'test_tracestate_member_count_limit: 32 in two headers',
    `${members(1, 16)}, ${members(17, 32)}`,
    members(1, 16),
    members(17, 32),
  ),
  passed('test_tracestate_member_count_limit: 33', undefined, members(1, 33)),
]

function allowedInValues(): string {
  const codes = Array.from({ length: 0x7e - 0x20 }, (_, n) => 0x21 + n)
  return String.fromCharCode(...codes).replace(/[,=]/g, '')
}

describe('W3C trace context', () => {
  it.each(cases)('%s', async (_name, lines, traceparent, tracestate) => {
    const seen: unknown[] = []
    const { port } = await listen(
      echo({
        async handle(request) {
          seen.push(request.traceparent, request.tracestate)
          return ok('')
        },
      }).handler,
    )
    const connection = await rawConnection(port)
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    connection.send(`POST /in HTTP/1.1\r\nhost: test\r\nconnection: close\r\n${head}\r\n`)
    expect(await connection.closed()).toMatch(/^HTTP\/1.1 200 /)
    expect(seen).toEqual([traceparent, tracestate])
  })
})

countSuite('W3C trace context', cases.length)
