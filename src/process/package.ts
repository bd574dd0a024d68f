import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of package.json. This code runs in `src/`, in `dist/`, or in the compiled copy that a tool keeps. */
const PACKAGE = packageFolder(new URL('.', import.meta.url))

function packageFolder(folder: URL): URL {
  return existsSync(new URL('package.json', folder)) ? folder : packageFolder(new URL('..', folder))
}

/** Absolute path of a file of this package. */
export const packageFile = (path: string): string => fileURLToPath(new URL(path, PACKAGE))

/** Absolute path of a file in `dist/`, which `npm run build` makes. */
export const builtFile = (path: string): string => packageFile(`dist/${path}`)

export const packageJson = (): { readonly version: string; readonly description: string } =>
  JSON.parse(readFileSync(packageFile('package.json'), 'utf8'))
