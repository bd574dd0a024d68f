/**
 * Loaded into a Headgate process before its own program. What runs is, but for one module, the code that is shipped: no switch in
 * the program itself, for nobody should be able to run it like that.
 */
import { register } from 'node:module'

register('./resolve-stand-in.js', import.meta.url)
