import { expect, test } from 'vitest'
import { formatProblem } from '../../src/config/problem.js'
import { DryRun } from '../../src/dry-run/dry-run.js'
import { plugins } from '../../src/plugins/index.js'
import { readText } from '../helpers/pipelines/inline-pipeline.js'
import { topicsPipeline } from '../helpers/pipelines/topics-pipeline.js'

const dryRun = (id: string) => {
  const read = readText(topicsPipeline({ id }), plugins)
  if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'))
  return new DryRun(read.config)
}

const request = (text: string, headers: { [name: string]: string } = {}) => ({
  headers,
  body: Buffer.from(text),
})

test('a request stands for a record of the source kafka: its body, its headers and its key', async () => {
  for (const [id, headers] of [
    ['/id', {}],
    ['key', { key: 'a' }],
    ['header:event-id', { 'event-id': 'a' }],
  ] as const) {
    const result = await dryRun(id).run('orders', request('{"id":"a","region":"eu"}', headers))
    expect(result.outcome).toMatchObject({ kind: 'delivered', id: 'a' })
    expect(result.records).toMatchObject([{ topic: 'by-region', partition: 1, deadLetter: false }])
  }
})

test('a record without an id is refused in a dry run', async () => {
  const result = await dryRun('key').run('orders', request('{"id":"a"}'))
  expect(result.outcome).toMatchObject({ kind: 'rejected', error: { code: 'HG_INTAKE_NO_ID' } })
})
