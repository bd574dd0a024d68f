import { expect, test } from 'vitest'
import { deployFiles, yamlOf } from './read-deploy.js'

const files = [...deployFiles('.yaml'), ...deployFiles('.yml')]

test.each(files)('%s is YAML without a key that comes twice', (path) => {
  expect(yamlOf(path).length).toBeGreaterThan(0)
})
