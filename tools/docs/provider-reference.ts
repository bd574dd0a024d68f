/** The section on references of `docs/config.md`; `pipeline/config/providers.ts` resolves them. */
export const PROVIDERS = `## Secrets and addresses

Any text in the file, or a part of it, may be a reference to a config provider, as Kafka Connect has them:

| reference | stands for |
| --- | --- |
| \`\${env:NAME}\` | the environment variable \`NAME\` |
| \`\${file:PATH}\` | the whole file, without one line end at its end |
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

- Paths are relative to the config file. A path may have colons: the longest part that exists is the path, the rest the key.
- A file is JSON where its name ends in \`.json\` or its text begins with \`{\`; \`KEY\` is then a member of the top level or a JSON
  Pointer (\`\${file:./vault.json:/data/password}\`), and its value text, a number or a boolean. Other files are read as
  java.util.Properties does, escapes and continued lines included, in UTF-8.
- A variable, file or key that is missing or empty, a file of more than 1 MiB, and one that is not UTF-8 are problems of the
  config, with their place in it.
- What a reference stands for is text, and is not looked into for references. The revision of the config does not depend on it.
- Numbers, booleans and keys cannot be references.
- Where a text needs \`\${\` itself, write \`$\${\`: the regex \`$\${name}\` is read as \`\${name}\`. In JSONata, \`$$ {id: x}\` needs no escape.

### What is secret

These are secret: the settings that a plugin declares to be (tokens, signing secrets, client secrets, passwords of Kafka), texts
under a name such as \`password\`, \`token\`, \`secret\` or \`authorization\`, and the passwords of URLs. In logs, errors and answers the
reference is shown in place of a secret that a reference brought, and \`[hidden]\` in place of one that is written in the file.
Everything else that references bring, such as addresses, user names and client ids, is shown as it is.

- A secret of 12 or more characters is replaced wherever it stands, also escaped as in JSON or encoded as in a URL.
- A shorter one is replaced where it stands alone, and left where letters, digits or one of \`_ - . : / @\` join it to a longer name,
  id, path or address: the secret \`hook\` leaves \`source.http-webhook\` as it is. Fewer than 4 characters are never replaced.
- A secret of fewer than 8 characters, one word, or a name of the config is a [warning](lint.md#secret-short).
- The fields of a log line that hold names (\`pipeline\`, \`stage\`, \`plugin\`, \`group\`, \`topic\`, \`event\`, \`code\` and so on) and its
  numbers are never changed.`
