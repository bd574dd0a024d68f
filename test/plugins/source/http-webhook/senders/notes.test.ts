import { expect, test } from 'vitest'
import { readSettings } from '../../../../../src/config/stage-settings.js'
import { httpWebhook } from '../../../../../src/plugins/source/http-webhook/index.js'
import { SENDERS } from '../../../../../src/plugins/source/http-webhook/senders/index.js'
import type { Sender } from '../../../../../src/plugins/source/http-webhook/senders/sender.js'
import { senderKey } from '../../../../../src/plugins/source/http-webhook/simulated-sender/key.js'
import { checkContext } from '../../../../helpers/context.js'

/** A setting of the source that a sentence shows as JSON, with objects of one level in it. */
const SETTING =
  /"(body|eventId|handshake|responses|split|verify)": (\{(?:[^{}]|\{[^{}]*\})*\}|\[[^\]]*\]|"[^"]*")/g
const ED25519 = 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025'

/** Settings in the notes of a sender that are complete but for texts of the user. */
function shown(note: string): { readonly [setting: string]: unknown } {
  const settings = [...note.matchAll(SETTING)].filter(([text]) => !text.includes(', ...'))
  return Object.fromEntries(
    settings.map(([, name, json = '']) => [
      name,
      JSON.parse(
        json
          .replace('"header": "..."', '"header": "X-Own"')
          .replaceAll('[...]', `["${ED25519}"]`)
          .replaceAll('"..."', '"dGhlIHNlY3JldCBvZiBhIHVzZXI="'),
      ),
    ]),
  )
}

/** The least settings of a source for this sender. */
function base({ name, settings, needs = {} }: Sender) {
  return {
    path: '/in',
    sender: name,
    secrets: [
      senderKey(settings['verify'] as Parameters<typeof senderKey>[0], 'a-secret-of-a-test').configured,
    ],
    ...('publicUrl' in needs && { publicUrl: 'https://hooks.example.com' }),
    ...('eventId' in needs && { eventId: '/id' }),
    ...('handshake' in needs && { handshake: { token: { values: ['v'] } } }),
  }
}

const NOTES = SENDERS.flatMap((sender) =>
  [...sender.notes, sender.secret].flatMap((note) => {
    const added = shown(note)
    return Object.keys(added).length === 0 ? [] : [{ name: sender.name, sender, note, added }]
  }),
)

test.each(NOTES)('$name: the settings of a note are accepted: $note', ({ sender, note, added }) => {
  const { secrets, ...others } = base(sender)
  const isInstead = /instead of `secrets`|instead\.$/.test(note)
  const written = { ...others, ...(!isInstead && { secrets }), ...added }
  const { config, problems } = readSettings(httpWebhook, written)
  expect(problems).toEqual([])
  expect([...(httpWebhook.check?.(config as never, checkContext()) ?? [])]).toEqual([])
})
