import { ConfigFile } from '../../../src/admin/config/config-file.js'
import type { Connect } from '../../../src/admin/connect/connect.js'
import { connectRoutes } from '../../../src/admin/connect/index.js'
import { checkResultOf } from '../../../src/config/check-process.js'
import { checkStage } from '../../../src/config/check-stage.js'
import { createLog, Loggers } from '../../../src/process/logging.js'
import { type Bench, bench } from '../../pipeline/reload/setup.js'
import { idleAdmin } from '../idle-admin.js'

type Options = Partial<Connect> & { readonly writable?: boolean }

/** Pipelines whose stages are numbered, behind the REST API. */
export async function connectBench(settings?: object, options: Options = {}) {
  const it = settings === undefined ? await bench() : await bench(settings)
  return { it, ...(await askable(it, options)) }
}

export async function askable(it: Bench, { writable = true, ...options }: Options = {}) {
  const { log } = await createLog({ level: 'info', format: 'json', terminal: false, write: () => {} })
  const loggers = new Loggers(log)
  const { reloader } = it
  const checker: Connect['checker'] = {
    file: async (text) => checkResultOf(it.read(text)),
    stage: async (definition, settings) => checkStage(definition, settings, reloader.config().files),
    findings: async () => ({ ok: true, problems: [] }),
  }
  const redact = (text: string) => text
  const routes = connectRoutes({
    reloader,
    targetStates: it.targetStates,
    loggers,
    plugins: it.definitions,
    version: '1.2.3',
    worker: 'here:8083',
    configFile: new ConfigFile({ file: it.configFile, writable, checker, reloader, redact }),
    started: () => true,
    checker,
    redact,
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
