import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const readme = readFileSync('README.md', 'utf8')

test('the README quotes the shipped config as it is', () => {
  const quoted = /<!-- quoted: plugins\.config\.json -->\n```jsonc\n([\s\S]*?)```/.exec(readme)?.[1]
  expect(quoted).toBe(readFileSync('plugins.config.json', 'utf8'))
})

test('every file and npm script that the README names exists', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    scripts: { [name: string]: string }
  }
  for (const [, path] of readme.matchAll(/\]\(([^)#:]+)\)/g))
    expect(() => readFileSync(String(path))).not.toThrow()
  for (const [, name] of readme.matchAll(/`?npm run ([a-z]+)/g)) expect(Object.keys(scripts)).toContain(name)
})
