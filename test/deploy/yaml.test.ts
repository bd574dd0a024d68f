import { expect, test } from 'vitest'
import { deployFiles, yamlOf } from './read-deploy.js'

// Templates of Helm are YAML only when they are rendered: test/deploy/chart.test.ts.
const files = [...deployFiles('.yaml'), ...deployFiles('.yml')].filter(
  (path) => !path.includes('/templates/'),
)

test.each(files)('%s is YAML without a key that comes twice', (path) => {
  expect(yamlOf(path).length).toBeGreaterThan(0)
})
