import { expect, test } from 'vitest'
import { createChannel } from '../../src/workers/channel.js'
import { duplexPair } from './duplex-pair.js'

/** Two ends, what came to the second, and how many frames that took. */
function connected() {
  const [one, other] = duplexPair()
  const came: string[] = []
  let frames = 0
  other.on('data', () => frames++)
  const receiver = createChannel<string, string>(other)
  receiver.onMessage((message) => came.push(message))
  return { sender: createChannel<string, string>(one), came, frames: () => frames }
}

test('what is sent in one turn is one frame, with what was to be sent soon, in its order', async () => {
  const { sender, came, frames } = connected()
  sender.sendSoon('soon')
  sender.send('now')
  sender.sendSoon('soon, too')
  sender.send('and this')
  await expect.poll(() => came).toEqual(['soon', 'now', 'soon, too', 'and this'])
  expect(frames()).toBe(1)
})

test('what is to be sent soon is sent also where nothing else is, or the channel is closed', async () => {
  const { sender, came } = connected()
  sender.sendSoon('alone')
  await expect.poll(() => came).toEqual(['alone'])
  sender.sendSoon('the last')
  void sender.close()
  await expect.poll(() => came).toEqual(['alone', 'the last'])
})
