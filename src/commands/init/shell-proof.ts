import type { Settings } from '../../plugins/source/http-webhook/settings.js'

/**
 * The headers that prove the sender, as words of a shell in which the variable of the secret is set; undefined if a shell cannot
 * easily make them. `file`: the body.
 */
export function shellProof(
  { verify }: Settings,
  variable: string,
  file: string,
): readonly string[] | undefined {
  switch (verify.scheme) {
    case 'bearer':
      return [`-H "Authorization: Bearer $${variable}"`]
    case 'api-key':
      return verify.header === undefined ? undefined : [`-H "${verify.header}: $${variable}"`]
    case 'hmac': {
      const { header, prefix, algorithm, signed, secretEncoding, encoding, listKey = '' } = verify
      if (signed !== '{body}' || secretEncoding !== 'utf8' || encoding === 'base64url') return undefined
      const digest = `openssl dgst -${algorithm} -hmac "$${variable}"`
      const signature =
        encoding === 'hex'
          ? `${digest} -r < ${file} | cut -d ' ' -f 1`
          : `${digest} -binary < ${file} | base64`
      return [`-H "${header}: ${listKey && `${listKey}=`}${prefix}$(${signature})"`]
    }
    default:
      return undefined
  }
}
