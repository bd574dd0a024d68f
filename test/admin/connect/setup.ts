import type { Connect } from '../../../src/admin/connect/connect.js'
import { connectRoutes } from '../../../src/admin/connect/index.js'
import { checkResultOf } from '../../../src/config/check-process.js'
import { checkStage } from '../../../src/config/check-stage.js'
import { createLog, Loggers } from '../../../src/process/logging.js'
import { type Bench, bench } from '../../pipeline/reload/setup.js'
import { idleAdmin } from '../idle-admin.js'

/** Pipelines whose stages are numbered, behind the REST API. */
export async function connectBench(settings?: object, options: Partial<Connect> = {}) {
  const it = settings === undefined ? await bench() : await bench(settings)
  return { it, ...(await askable(it, options)) }
}

export async function askable(it: Bench, options: Partial<Connect> = {}) {
  const { log } = await createLog({ level: 'info', format: 'json', terminal: false, write: () => {} })
  const loggers = new Loggers(log)
  const routes = connectRoutes({
    reloader: it.reloader,
    targetStates: it.targetStates,
    loggers,
    plugins: it.definitions,
    version: '1.2.3',
    worker: 'here:8083',
    file: it.configFile,
    writable: true,
    started: () => true,
    checker: {
      file: async (text) => checkResultOf(it.read(text)),
      stage: async (definition, settings) => checkStage(definition, settings, it.reloader.config().files),
    },
    redact: (text) => text,
    ...options,
  })
  const admin = await idleAdmin(routes)
  const ask = async (question: string, body?: unknown) => {
    const [method = '', path = ''] = question.split(' ')
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
    const response = await fetch(admin.url + path, init)
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  return { ask, loggers }
}
