import { resolve } from 'node:path'
import ts from 'typescript'

const ENTRY = 'src/sdk.ts'

const INTRODUCTION = `Generated from the types of \`headgate/plugin\`, which is everything that the author of a plugin imports.
[writing-a-plugin.md](writing-a-plugin.md) shows how they are used. \`headgate/conformance\` has the checks that every plugin must pass.`

/** Files in the order in which a reader meets them, with the heading of their part. */
const PARTS: readonly { readonly file: RegExp; readonly heading: string }[] = [
  { file: /contract\/(definition|plugin)/, heading: 'Definition' },
  { file: /contract\/event/, heading: 'Events' },
  { file: /contract\/(source|http)/, heading: 'Sources' },
  { file: /contract\/transform/, heading: 'Transforms' },
  { file: /contract\/(sink|record-log|inbox|instances|topics)/, heading: 'Sinks' },
  { file: /contract\/post-commit/, heading: 'Post-commit stages' },
  { file: /contract\/(context|metrics|stage)/, heading: 'Context' },
  { file: /contract\/(check|probe|variants)/, heading: 'Checks' },
  { file: /contract\/errors/, heading: 'Errors' },
  { file: /lib\/|http\//, heading: 'Building blocks' },
]

/** The page `docs/plugin-api.md`. */
export function pluginApiReference(): string {
  const exported = exportsOf(ENTRY)
  const own = exported.filter(({ file }) => !file.includes('node_modules'))
  const theirs = exported.filter(({ file }) => file.includes('node_modules')).map(({ name }) => `\`${name}\``)
  const homeless = own.filter((one) => !PARTS.some(({ file }) => file.test(one.file)))
  if (homeless.length > 0)
    throw new Error(`Add a part for ${homeless.map(({ name, file }) => `${name} (${file})`).join(', ')}`)
  const parts = PARTS.flatMap(({ file, heading }) => {
    const inPart = own.filter((one) => PARTS.find((part) => part.file.test(one.file))?.file === file)
    return inPart.length === 0 ? [] : [`## ${heading}`, ...inPart.map(section)]
  })
  return `${[
    '# The API of plugins',
    INTRODUCTION,
    ...parts,
    '## TypeBox',
    `${theirs.join(', ')} come from [TypeBox](https://github.com/sinclairzx81/typebox), for the settings of a plugin.`,
  ].join('\n\n')}\n`
}

interface Exported {
  readonly name: string
  readonly file: string
  readonly text: string
}

function exportsOf(entry: string): Exported[] {
  const config = ts.readConfigFile('tsconfig.json', ts.sys.readFile).config
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
  const program = ts.createProgram([entry], options)
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(entry)
  const module = source && checker.getSymbolAtLocation(source)
  if (module === undefined) throw new Error(`${entry} is not a module`)
  return checker.getExportsOfModule(module).flatMap((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    const [declaration] = target.declarations ?? []
    if (declaration === undefined) return []
    const file = declaration.getSourceFile().fileName.replace(`${resolve('.')}/`, '')
    return [{ name: symbol.name, file, text: declarationText(declaration, checker) }]
  })
}

/** As the author of a plugin sees it: with its comments, and without the bodies of functions. */
function declarationText(declaration: ts.Declaration, checker: ts.TypeChecker): string {
  const shown = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
  const comments = ts.getJSDocCommentsAndTags(shown).filter(ts.isJSDoc)
  const comment = comments.map((one) => `${one.getText()}\n`).join('')
  return comment + withoutBody(declaration, checker)
}

function withoutBody(declaration: ts.Declaration, checker: ts.TypeChecker): string {
  if (ts.isVariableDeclaration(declaration)) {
    const type = checker.typeToString(
      checker.getTypeAtLocation(declaration),
      declaration,
      ts.TypeFormatFlags.NoTruncation,
    )
    return `const ${declaration.name.getText()}: ${type.length > LONGEST ? '{ ... }' : type}`
  }
  if (ts.isFunctionDeclaration(declaration))
    return declaration
      .getText()
      .slice(0, bodyAt(declaration))
      .trim()
      .replace(/^export /, '')
  if (ts.isClassDeclaration(declaration)) return classText(declaration)
  return declaration.getText().replace(/^export /, '')
}

/** A table of a hundred error codes is a page of its own. */
const LONGEST = 400

const bodyAt = (declaration: ts.FunctionDeclaration): number | undefined =>
  declaration.body && declaration.body.getStart() - declaration.getStart()

function classText(declaration: ts.ClassDeclaration): string {
  const members = declaration.members
    .filter(({ name }) => !(name && (ts.isPrivateIdentifier(name) || ts.isComputedPropertyName(name))))
    .map((member) => {
      const body = (member as ts.MethodDeclaration).body
      const text =
        body === undefined
          ? member.getFullText()
          : member.getFullText().slice(0, body.getFullStart() - member.getFullStart())
      return text
        .trim()
        .replace(/^/gm, '  ')
        .replace(/^ {4,}/gm, '  ')
    })
  const head = declaration.getText().slice(0, declaration.members.pos - declaration.getStart())
  return `${head.replace(/^export /, '')}\n${members.join('\n')}\n}`
}

const section = ({ name, text }: Exported): string => `### ${name}\n\n\`\`\`ts\n${text}\n\`\`\``
