// Installs what a checkout lacks to run Headgate (`node scripts/setup/setup.mjs run`), or to run its tests (`... tests`). Each
// part is checked for itself, so that the next setup continues an interrupted one.
const OLDEST_NODE = [20, 19]

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  console.error(
    `Node.js ${OLDEST_NODE.join('.')} or later is needed, and ${process.execPath} is ${process.versions.node}. Get it from https://nodejs.org/en/download`,
  )
  process.exit(1)
}

// Only now, because an older Node.js cannot load these.
const { beginProgram } = await import('./step.mjs')
const { arePackagesInstalled, installPackages } = await import('./npm-packages.mjs')
const { FOR_COMPILATION, FOR_TESTS, installSystemPackages } = await import('./system-packages.mjs')
const { isAddonBuilt, isAddonCached, installAddon } = await import('./kafka-client.mjs')

beginProgram()
const tests = process.argv[2] === 'tests'
const compiles = !isAddonCached() && !(arePackagesInstalled() && isAddonBuilt())
await installSystemPackages([...(compiles ? FOR_COMPILATION : []), ...(tests ? FOR_TESTS : [])])
if (!arePackagesInstalled()) await installPackages()
if (!isAddonBuilt()) await installAddon()
