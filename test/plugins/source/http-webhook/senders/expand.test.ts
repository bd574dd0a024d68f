import { describe, expect, it } from 'vitest'
import { readSettings } from '../../../../../src/config/stage-settings.js'
import { httpWebhook } from '../../../../../src/plugins/source/http-webhook/index.js'
import { SENDERS } from '../../../../../src/plugins/source/http-webhook/senders/index.js'
import { checkContext, fillDefaults } from '../../../../helpers/context.js'

const settings = (written: object) => fillDefaults(httpWebhook, { path: '/in', ...written })
const problems = (written: object) => {
  const { config, problems, writtenAt } = readSettings(httpWebhook, { path: '/in', ...written })
  if (problems.length > 0) return problems.map(({ pointer, message }) => `${pointer} ${message}`)
  const found = httpWebhook.check?.(config as never, checkContext()) ?? []
  return [...found].map(({ at, message }) => `${writtenAt(at)} ${message}`)
}
const lints = (written: object, redeliveryBy: 'id' | 'id+bytes' = 'id') => {
  const context = { ...checkContext(), ensured: [], maxBody: undefined, redeliveryBy }
  return [...(httpWebhook.lint?.(settings(written), context) ?? [])].map(({ at, name }) => `${name} ${at}`)
}

describe('sender', () => {
  it('stands for the settings that it documents, with the secrets at their place', () => {
    expect(settings({ sender: 'github', secrets: ['a', 'b'] })).toMatchObject({
      sender: 'github',
      eventId: 'header:X-GitHub-Delivery',
      responseTimeout: '9s',
      verify: { scheme: 'hmac', header: 'X-Hub-Signature-256', prefix: 'sha256=', secrets: ['a', 'b'] },
    })
    expect(settings({ sender: 'cloudevents', secrets: ['t'] })).not.toHaveProperty('secrets')
  })

  it('is overridden member by member', () => {
    const { eventId, responseTimeout, verify } = settings({
      sender: 'zoom',
      secrets: ['s'],
      eventId: '/payload/object/uuid',
      responseTimeout: '1s',
      verify: { timestamp: { tolerance: '1m' } },
    })
    expect({ eventId, responseTimeout }).toEqual({ eventId: '/payload/object/uuid', responseTimeout: '1s' })
    expect(verify).toMatchObject({
      scheme: 'hmac',
      prefix: 'v0=',
      secrets: ['s'],
      timestamp: { header: 'x-zm-request-timestamp', tolerance: '1m' },
    })
  })

  it('can have public keys instead of secrets if it signs with private ones', () => {
    const key = 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025'
    for (const sender of ['standard-webhooks', 'svix']) {
      expect(problems({ sender, verify: { publicKeys: [key] } })).toEqual([])
      expect(settings({ sender, verify: { publicKeys: [key] } }).verify).toMatchObject({
        scheme: 'standard-webhooks',
        publicKeys: [key],
      })
    }
    expect(problems({ sender: 'github', verify: { publicKeys: [key] } })).not.toEqual([])
  })

  it('gives up a setting for which null is written', () => {
    const slack = { sender: 'slack', secrets: ['s'] }
    expect(settings({ ...slack, handshake: null })).not.toHaveProperty('handshake')
    const grid = { sender: 'event-grid', secrets: ['k'], verify: { query: null, header: 'X-Key' } }
    expect(settings(grid).verify).toEqual({ scheme: 'api-key', header: 'X-Key', keys: ['k'] })
    expect(problems(grid)).toEqual([])
    const untimed = { ...slack, verify: { timestamp: null, signed: '{body}' } }
    expect(settings(untimed).verify).not.toHaveProperty('timestamp')
    expect(problems({ sender: 'meta', secrets: ['s'], handshake: null })).toEqual([])
    expect(problems({ ...slack, verify: null })).toEqual([expect.stringContaining('"verify" is missing')])
    expect(problems({ ...slack, split: null })).toEqual([])
    expect(problems({ path: '/in', eventId: '/id', verify: null })).not.toEqual([])
  })

  it('makes an event of each item, unless its user wants the request as one', () => {
    const graph = { sender: 'microsoft-graph', secrets: ['s'] }
    expect(settings(graph).split).toEqual({ at: '/value', maxItems: 5000, enabled: true })
    expect(settings({ ...graph, split: { enabled: false } }).split).toMatchObject({
      at: '/value',
      enabled: false,
    })
    const ofHeader = { ...graph, eventId: 'header:client-request-id' }
    expect(problems(ofHeader)).toEqual([expect.stringContaining('With "split": {"enabled": false}')])
    expect(problems({ ...ofHeader, split: { enabled: false } })).toEqual([])
  })

  it('gives way as a whole where another scheme is written', () => {
    const bearer = { scheme: 'bearer', tokens: ['t'] }
    expect(settings({ sender: 'github', verify: bearer }).verify).toEqual(bearer)
  })

  it('does not change the settings that are written, or those of the sender', () => {
    const written = { path: '/in', sender: 'meta', secrets: ['s'], handshake: { token: { values: ['v'] } } }
    const before = structuredClone(written)
    const stored = JSON.stringify(SENDERS)
    const { config } = readSettings(httpWebhook, written)
    expect(config).toMatchObject({ handshake: { form: 'query', token: { values: ['v'] } } })
    expect(written.secrets).toEqual(before.secrets)
    expect(JSON.stringify(SENDERS)).toBe(stored)
  })

  it.each([
    [{ sender: 'githup', secrets: ['s'] }, '/sender'],
    [{ sender: 'github', secrets: [] }, '/secrets This value should not be empty.'],
    [{ sender: 'github' }, 'The sender "github" needs the setting "secrets"'],
    [{ sender: 'github', secrets: [' '] }, '/secrets/0'],
    [{ sender: 'svix', secrets: ['no base64!'] }, '/secrets/0'],
    [{ sender: 'discord', secrets: ['00'] }, '/secrets/0 This is not an Ed25519 public key.'],
    [{ sender: 'square', secrets: ['s'] }, 'The sender "square" needs the setting "publicUrl"'],
    [{ secrets: ['s'], eventId: '/id', verify: { scheme: 'none' } }, '/secrets `secrets` belongs to a'],
    [
      { sender: 'github', secrets: ['s'], verify: { scheme: 'bearer', tokens: ['t'] } },
      '/secrets Nothing uses these secrets',
    ],
    [{ sender: 'cxone-studio', secrets: ['s'] }, 'needs the setting "eventId"'],
    [{ sender: 'meta', secrets: ['s'] }, 'needs the setting "handshake"'],
    [{ sender: 'meta', secrets: ['s'], handshake: {} }, '/handshake/token The setting "values" is missing'],
  ])('reports the problem of %j where it is written', (written, problem) => {
    expect(problems(written).join('; ')).toContain(problem)
  })

  it.each(SENDERS)('$name: needs only its secrets and the settings that it names', ({ name, needs = {} }) => {
    const secret =
      name === 'discord'
        ? 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025'
        : name === 'sendgrid'
          ? 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=='
          : 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'.slice(name === 'salesforce' ? 6 : 0)
    const added = {
      ...('publicUrl' in needs && { publicUrl: 'https://hooks.example.com' }),
      ...('eventId' in needs && { eventId: '/id' }),
      ...('handshake' in needs && { handshake: { token: { values: ['v'] } } }),
    }
    const written = { sender: name, secrets: [secret], ...added }
    expect(problems(written)).toEqual([])
    expect(lints(written)).toEqual([])
    for (const setting of Object.keys(added)) {
      const { [setting as keyof typeof added]: _, ...without } = written
      expect(problems(without), setting).not.toEqual([])
    }
  })
})

describe('lint', () => {
  it('warns if the response may come after the sender has given up', () => {
    expect(lints({ sender: 'slack', secrets: ['s'], responseTimeout: '3s' })).toEqual([
      'sender-time-limit /responseTimeout',
    ])
    expect(lints({ sender: 'stripe', secrets: ['s'], responseTimeout: '60s' })).toEqual([])
  })

  it('warns if a redelivery can have another body, and would be another event', () => {
    const stripe = { sender: 'stripe', secrets: ['s'] }
    expect(lints(stripe, 'id+bytes')).toEqual(['sender-redelivery /sender'])
    expect(lints({ ...stripe, eventId: 'digest' }, 'id+bytes')).toEqual([])
    expect(lints({ sender: 'github', secrets: ['s'] }, 'id+bytes')).toEqual([])
  })

  it('warns if the sender is verified in another way than it documents', () => {
    expect(lints({ sender: 'github', verify: { scheme: 'bearer', tokens: ['t'] } })).toEqual([
      'sender-verification /verify/scheme',
    ])
    const signing = { scheme: 'standard-webhooks', secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] }
    expect(lints({ sender: 'gitlab', verify: signing })).toEqual([])
  })

  it('warns if the sender takes a response for a failure although Headgate has the event', () => {
    const dropbox = { sender: 'dropbox', secrets: ['s'] }
    expect(lints({ ...dropbox, responses: { 'dead-lettered': { status: 202 } } })).toEqual([
      'sender-response /responses/dead-lettered',
    ])
    expect(lints({ ...dropbox, responses: null })).toEqual(['sender-response /responses/dead-lettered'])
    expect(lints({ ...dropbox, responses: { delivered: { body: false } } })).toEqual([])
    expect(lints({ sender: 'okta', secrets: ['s'], responses: { dropped: { status: 200 } } })).toEqual([])
    expect(lints({ sender: 'stripe', secrets: ['s'], responses: { dropped: { status: 299 } } })).toEqual([])
  })

  it('warns if the sender cannot register its URL', () => {
    const slack = { sender: 'slack', secrets: ['s'] }
    const query = { form: 'query', parameter: 'challenge' }
    for (const handshake of [null, query])
      expect(lints({ ...slack, handshake })).toEqual(['sender-handshake /handshake'])
    expect(lints({ ...slack, handshake: { member: 'challenge' } })).toEqual([])
    expect(lints({ sender: 'github', secrets: ['s'], handshake: query })).toEqual([])
  })

  it('still warns of settings that are not those of the sender', () => {
    expect(lints({ sender: 'github', secrets: ['s'], eventId: 'header:X-Other' })).toEqual([
      'event-id-not-signed /eventId',
    ])
  })
})
