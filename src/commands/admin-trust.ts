import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import type { CommandInput, CommandOption } from './command.js'

/** For commands that ask the admin listener: how the two trust each other where it speaks HTTPS. */
export const trustOptions: readonly CommandOption[] = [
  {
    flags: '--ca <file>',
    description:
      'Who vouches for the certificate of the admin listener (PEM), which is then asked by https. Without it, whom Node.js trusts.',
  },
  {
    flags: '--server-name <name>',
    description: 'The name that its certificate is for, where that is not the address that is asked.',
  },
  { flags: '--client-cert <file>', description: 'Certificate to show it (PEM).' },
  { flags: '--client-key <file>', description: 'Key of that certificate (PEM).' },
]

/** What those flags name. Rejects where a file cannot be read. */
export async function readTrust(
  options: CommandInput['options'],
  cwd: string,
): Promise<Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername'>> {
  const named = async (flag: string, as: 'ca' | 'cert' | 'key') => {
    const path = options[flag]
    return path === undefined ? {} : { [as]: await readFile(resolve(cwd, String(path))) }
  }
  const { serverName } = options
  return {
    ...(await named('ca', 'ca')),
    ...(await named('clientCert', 'cert')),
    ...(await named('clientKey', 'key')),
    ...(serverName !== undefined && { servername: String(serverName) }),
  }
}
