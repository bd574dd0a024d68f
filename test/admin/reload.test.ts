import { expect, test } from 'vitest'
import { reloadResponse, reloadState } from '../../src/admin/reload.js'
import { HeadgateError } from '../../src/contract/errors.js'

const redact = (text: string) => text.replaceAll('s3cret', '${env:PASSWORD}')
const location = { file: 'c.json', line: 3, column: 9 }

test('a refused config is answered with every problem, its place, and no secret', () => {
  const problems = [
    {
      code: 'HG_CONFIG_VALUE' as const,
      location,
      pointer: '/a',
      message: 'Not s3cret.',
      expected: 'a number',
    },
    { code: 'HG_CONFIG_UNKNOWN_KEY' as const, location, pointer: '/b', message: 'There is no "b".' },
  ]
  const refused = { result: 'failure' as const, revision: 'abc', problems, error: undefined, retry: 'Later.' }
  expect(reloadResponse(refused, redact)).toEqual({
    problem: {
      type: 'urn:headgate:error:HG_CONFIG_VALUE',
      title: 'The config cannot be used; the previous one keeps running.',
      status: 422,
      detail:
        'c.json:3:9: HG_CONFIG_VALUE: Not ${env:PASSWORD}.\nc.json:3:9: HG_CONFIG_UNKNOWN_KEY: There is no "b".',
      code: 'HG_CONFIG_VALUE',
      revision: 'abc',
      retry: 'Later.',
      problems: [
        {
          code: 'HG_CONFIG_VALUE',
          place: 'c.json:3:9',
          pointer: '/a',
          message: 'Not ${env:PASSWORD}.',
          expected: 'a number',
        },
        { code: 'HG_CONFIG_UNKNOWN_KEY', place: 'c.json:3:9', pointer: '/b', message: 'There is no "b".' },
      ],
    },
  })
})

test('so is one whose stages could not be started; /ready has it in a sentence', () => {
  const error = new HeadgateError('HG_KAFKA_PARTITION_MISSING', 'Topic "a" has no partition 9 (c.json:3:9).')
  const refused = { result: 'failure' as const, revision: 'abc', problems: [], error, retry: undefined }
  const said = 'HG_KAFKA_PARTITION_MISSING: Topic "a" has no partition 9 (c.json:3:9).'
  expect(reloadResponse(refused, redact)).toMatchObject({ problem: { code: error.code, detail: said } })
  expect(reloadState(refused, redact)).toEqual({ refusedConfig: [said] })
  expect(reloadState(undefined, redact)).toEqual({})
})
