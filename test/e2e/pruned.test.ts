import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WEBHOOK_PATH } from '../../src/sandbox/routes.js'
import { type PrunedTree, pruneTree } from '../helpers/processes/pruned-tree.js'
import { startSandboxed, TOKEN } from '../helpers/processes/sandboxed.js'

const LIMIT = 60 * 1024 * 1024
const EVENT = {
  dataActionId: 'action-1',
  eventType: 'DataActionExecuted',
  timestamp: '2025-06-01T08:00:00Z',
  payload: { priority: 'high' },
}

describe('the pruned tree', () => {
  let tree: PrunedTree
  beforeAll(async () => {
    tree = await pruneTree()
  })
  afterAll(() => tree.remove())

  const files = () =>
    readdirSync(tree.path, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))

  test('has no development packages', () => {
    const { devDependencies, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
    const installed = (name: string) => existsSync(join(tree.path, 'node_modules', name))

    expect(Object.keys(dependencies).filter((name) => !installed(name))).toEqual([])
    expect(Object.keys(devDependencies).filter(installed)).toEqual([])
  })

  test('has no sources, neither ours nor those of librdkafka', () => {
    expect(readdirSync(tree.path).toSorted()).toEqual([
      'LICENSE',
      'dist',
      'docs',
      'node_modules',
      'package.json',
      'plugins.config.json',
      'scenarios',
      'schemas',
    ])
    expect(files().filter((path) => /\.([cm]?ts|map|c|cc|h|a|o)$/.test(path))).toEqual([])
  })

  test('is below its limit, and its size is printed', () => {
    const size = files().reduce((total, path) => total + statSync(path).size, 0)

    expect(size).toBeLessThan(LIMIT)
    expect(tree.output).toContain(`${(size / 1024 / 1024).toFixed(1)} MiB`)
  })

  test('runs: an event that is posted to it is delivered', async () => {
    const { headgate } = await startSandboxed(
      join(tree.path, 'dist/cli.js'),
      join(tree.path, 'plugins.config.json'),
    )

    const response = await fetch(new URL(WEBHOOK_PATH, headgate.intake), {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(EVENT),
    })

    expect([response.status, await response.json()]).toMatchObject([
      200,
      { id: 'action-1', outcome: 'delivered' },
    ])
    expect(await headgate.stop()).toEqual({ code: 0, signal: null })
  })
})
