import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readConfig } from '../../src/config/read.js'
import { plugins } from '../../src/plugins/index.js'
import { temporaryDirectory } from '../helpers/context.js'
import { runs } from './runs.js'

const shipped = readFileSync('plugins.config.json', 'utf8')
const SECRET = 'hush-hush-secret'
const environment = {
  KAFKA_BROKERS: 'kafka:9092',
  CXONE_BASE_URL: 'https://cxone.example',
  CXONE_CLIENT_ID: 'client',
  CXONE_CLIENT_SECRET: SECRET,
  WEBHOOK_TOKEN: SECRET,
}

/** The shipped file with some of it changed, left out or put elsewhere. */
const text = fc
  .array(
    fc.tuple(
      fc.nat(),
      fc.nat(40),
      fc.oneof(
        fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          '"',
          ',',
          ':',
          '\\',
          '\\u',
          '/*',
          '//',
          '${',
          '$${',
          '${env:',
          'null',
          '\ufeff',
          '-',
        ),
        fc.string({ unit: 'binary', maxLength: 4 }),
        fc.json({ maxDepth: 2 }),
      ),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((changes) =>
    changes.reduce((before, [place, length, other]) => {
      const at = place % before.length
      return before.slice(0, at) + other + before.slice(at + length)
    }, shipped),
  )

it('whatever a config file says, it is taken, or each problem has a place in it, and no secret is told', () => {
  const folder = temporaryDirectory({
    'schemas/cxone-data-action.schema.json': readFileSync('schemas/cxone-data-action.schema.json', 'utf8'),
  })
  const path = join(folder, 'plugins.config.json')
  fc.assert(
    fc.property(text, (config) => {
      writeFileSync(path, config)
      const read = readConfig(path, { plugins, environment, exposed: false, cwd: folder })
      const findings = read.ok ? read.config.warnings : read.problems
      if (!read.ok) expect(findings.length).toBeGreaterThan(0)
      for (const { location, message } of findings) {
        expect(location.line).toBeGreaterThan(0)
        expect(location.column).toBeGreaterThan(0)
        expect(message).not.toBe('')
      }
      expect(JSON.stringify(findings)).not.toContain(SECRET)
    }),
    runs(300),
  )
})
