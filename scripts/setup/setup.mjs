// Installs what a checkout lacks to run Headgate (`node scripts/setup/setup.mjs run`), or to run its tests (`... tests`). Each
// part is checked for itself, so that the next setup continues an interrupted one.
import { installAddon, isAddonBuilt, isAddonCached } from './kafka-client.mjs'
import { arePackagesInstalled, installPackages } from './npm-packages.mjs'
import { beginProgram } from './step.mjs'
import { FOR_COMPILATION, FOR_TESTS, installSystemPackages } from './system-packages.mjs'

beginProgram()
const tests = process.argv[2] === 'tests'
const compiles = !isAddonCached() && !(arePackagesInstalled() && isAddonBuilt())
await installSystemPackages([...(compiles ? FOR_COMPILATION : []), ...(tests ? FOR_TESTS : [])])
if (!arePackagesInstalled()) await installPackages()
if (!isAddonBuilt()) await installAddon()
