// Makes `dist/` of `src/`, beside the declarations that tsc wrote there: `node scripts/bundle.mjs`. Our own 390 modules as a
// few files, which take a quarter less of a start; a command still loads no more than it needs. Packages stay what they are,
// so that a newer one can be put in their place, but for TypeBox, of whose 370 files we use one file's worth. `dist/console/`
// is the console, for browsers, with all of its packages.
import { readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { build as buildConsole } from 'vite'

const BUNDLED = new Set(['typebox'])

const project = fileURLToPath(new URL('..', import.meta.url))
const { dependencies } = JSON.parse(readFileSync(`${project}/package.json`, 'utf8'))
const external = Object.keys(dependencies)
  .filter((name) => !BUNDLED.has(name))
  .flatMap((name) => [name, `${name}/*`])

rmSync(`${project}/dist/parts`, { recursive: true, force: true })
await build({
  absWorkingDir: project,
  entryPoints: [
    'src/cli.ts',
    // The modules that plugins import: the same objects as the command's, for both take them from shared files.
    'src/sdk.ts',
    'src/conformance/test-plugin.ts',
    // Started as processes, or loaded into one, by their paths.
    'src/sandbox/kafka-process.ts',
    'src/sandbox/end-with-parent.ts',
  ],
  outbase: 'src',
  outdir: 'dist',
  chunkNames: 'parts/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external,
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
})
await buildConsole({ configFile: `${project}/console/vite.config.ts` })
