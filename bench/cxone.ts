/** The CXone simulator in a process of its own, without faults. Says its URL and, when asked, its acknowledgements. */
import { startCxone } from '../src/sandbox/cxone.js'
import { variable } from './variable.js'

const HOURS = 3600

const cxone = await startCxone({
  clientId: variable('CXONE_CLIENT_ID'),
  clientSecret: variable('CXONE_CLIENT_SECRET'),
  tokenLifetime: 10 * HOURS,
})
process.send?.({ url: cxone.url })
process.on('message', () => process.send?.({ acknowledged: cxone.acknowledged.size }))
process.on('disconnect', () => process.exit())
