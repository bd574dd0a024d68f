import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Why a plugin cannot be used. */
export interface PluginFailure {
  readonly message: string
  readonly suggestion?: string
}

/** What was thrown while a plugin was imported, for people: with the line, where that can be had. */
export async function loadingFailure(name: string, url: string, thrown: unknown): Promise<PluginFailure> {
  const error = thrown instanceof Error ? (thrown as NodeJS.ErrnoException) : undefined
  const { message = String(thrown), stack = '', code } = error ?? {}
  const [first] = message.split('\n')
  const place =
    placeIn(stack, url) ?? (error instanceof SyntaxError ? await placeOfSyntaxError(url) : undefined)
  const at = place === undefined ? '' : `, at ${name}:${place}`
  const missesUs = code === 'ERR_MODULE_NOT_FOUND' && /'headgate'/.test(message)
  return {
    message: `The plugin "${name}" failed while it was loaded${at}: ${first}.`.replace(/\.\.$/, '.'),
    ...(missesUs && { suggestion: 'Run npm install headgate in the folder of the plugin or above it.' }),
  }
}

/** Line and column, as stack traces have them. */
function placeIn(text: string, url: string): string | undefined {
  const file = url.slice(url.lastIndexOf('/')).replace(/\?.*$/, '')
  return new RegExp(`${literally(file)}(?:\\?[0-9a-f]+)?:([0-9]+(?::[0-9]+)?)`).exec(text)?.[1]
}

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The error itself does not say where it is; Node prints it, and nothing of the file is run. */
const placeOfSyntaxError = (url: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile(process.execPath, ['--check', fileURLToPath(url)], (_error, _stdout, stderr) =>
      resolve(placeIn(stderr, url)),
    )
  })
