// @ts-check
import { definePlugin, Pointer, pass, pointer, replaceAt, Type } from 'headgate/plugin'

export const mask = definePlugin({
  kind: 'transform',
  name: 'mask',
  summary: 'Puts a mask in place of values that must not reach Kafka.',
  config: Type.Object(
    {
      values: Type.Array(Pointer({ description: 'Where in the event such a value stands.' }), {
        minItems: 1,
        description: 'The values that are masked. What an event lacks is passed over.',
      }),
      with: Type.String({ default: '***', description: 'The text that stands there instead.' }),
    },
    { additionalProperties: false },
  ),

  create(settings) {
    // Once, at load: not for every event.
    const places = settings.values.map(pointer)
    return {
      apply(event) {
        let { body } = event
        for (const place of places) body = replaceAt(body, place, settings.with)
        return pass({ ...event, body })
      },
    }
  },
})
