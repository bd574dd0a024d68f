import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { builtFile } from '../../src/process/package.js'

async function headgate(...args: readonly string[]) {
  const child = execFile(process.execPath, [builtFile('cli.js'), ...args])
  const output = { out: '', err: '' }
  child.stdout?.on('data', (text) => {
    output.out += text
  })
  child.stderr?.on('data', (text) => {
    output.err += text
  })
  const [code] = await once(child, 'close')
  return { code, ...output }
}

test('the demo posts events to Headgate on its shipped config, and every count agrees', async () => {
  const { code, out, err } = await headgate('demo', '--events', '300')
  expect(err).toBe('')
  expect(out).toContain('Everything reconciles: 300 requests')
  expect(code).toBe(0)

  const rows = new Map(
    out
      .split('\n')
      .map((line) => line.split(/ {2,}/))
      .map(([name, ...cells]) => [name, cells]),
  )
  expect(rows.get('high-priority')).toEqual(['cxone.data.actions.high, partition 0', '89', '89', '89', '89'])
  expect(rows.get('eu-west')).toEqual(['cxone.data.actions.eu, partition 1', '89', '89', '89', '89'])
  expect(rows.get('otherwise')).toEqual(['cxone.data.actions.default, partition 2', '89', '89', '89', '89'])
  expect(rows.get('delivered again')).toEqual(['duplicate, no second record', '15', '15'])
  expect(rows.get('wrong token')).toEqual(['401 HG_INTAKE_UNAUTHENTICATED', '3', '3'])
  expect(rows.get('all')).toEqual(['300', '300', '267', '267'])

  const [, tokens, expired, throttled, unavailable] =
    /issued (\d+) tokens, refused (\d+) .* \(401\), asked (\d+) .* \(429\), was unavailable (\d+) /.exec(
      out,
    ) ?? []
  expect(Number(tokens)).toBeGreaterThan(1)
  for (const happened of [expired, throttled, unavailable]) expect(Number(happened)).toBeGreaterThan(0)
})
