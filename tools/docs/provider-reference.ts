/** The section on references of `docs/config.md`; `src/config/providers.ts` resolves them. */
export const PROVIDERS = `## Secrets and addresses

Any text in the file, or a part of it, may be a reference to a config provider, as in Kafka Connect:

| reference | its value |
| --- | --- |
| \`\${env:NAME}\` | the environment variable \`NAME\` |
| \`\${file:PATH}\` | the whole file, without a line end at its end |
| \`\${file:PATH:KEY}\` | the value of \`KEY\` in a properties or JSON file |
| \`\${dir:FOLDER:FILE}\` | the whole file \`FILE\` in \`FOLDER\`, as Kubernetes mounts a Secret |

\`\`\`jsonc
{
  "brokers": "\${env:KAFKA_BROKERS}",
  "properties": {
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "SCRAM-SHA-512",
    "sasl.username": "\${file:./kafka.properties:user}",
    "sasl.password": "\${dir:/run/secrets/kafka:password}"
  }
}
\`\`\`

- Paths are relative to the config file. A path may contain colons: the longest part that exists is the path, the rest is the key.
- If the name of a file ends in \`.json\` or its text begins with \`{\`, it is JSON: \`KEY\` is a member of the top level or a JSON
  Pointer (\`\${file:./vault.json:/data/password}\`), and its value is text, a number or a boolean. Headgate reads all other files as
  java.util.Properties does, with escapes and continuation lines, in UTF-8.
- A variable, file or key that is missing or empty, a file of more than 1 MiB, and a file that is not UTF-8 are problems of the
  config; the report gives their place in it.
- The value of a reference is text; references in it are not resolved. The revision of the config does not depend on the value.
- Numbers, booleans and keys cannot be references.
- For the text \`\${\` itself, write \`$\${\`: the regex \`$\${name}\` becomes \`\${name}\`. In JSONata, \`$$ {id: x}\` needs no escape.

### What is secret

These are secret: the settings that a plugin declares to be (tokens, signing secrets, client secrets, passwords of Kafka), texts
under a name such as \`password\`, \`token\`, \`secret\` or \`authorization\`, and the passwords of URLs. In logs, errors and responses,
Headgate replaces a secret by the reference that it came from, or by \`[hidden]\` if it is written in the file. It shows all other
values of references, such as addresses, user names and client ids.

- A secret of 12 or more characters is replaced everywhere, also escaped as in JSON or encoded as in a URL.
- A shorter secret is replaced if it stands alone, and not if letters, digits or one of \`_ - . : / @\` join it to a longer name, id,
  path or address: the secret \`hook\` leaves \`source.http-webhook\` as it is. Fewer than 4 characters are never replaced.
- A secret of fewer than 8 characters, one word, or a name of the config is a [warning](lint.md#secret-short).
- The fields of a log line that hold names (\`pipeline\`, \`stage\`, \`plugin\`, \`group\`, \`topic\`, \`event\`, \`code\` and so on) and its
  numbers are never changed.`
