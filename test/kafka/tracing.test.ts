import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeKafka, sharedKafka } from '../helpers/kafka/real-kafka.js'
import { deploy, eventText } from '../helpers/processes/deployment.js'

const trace = {
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: 'vendor=1,other=2',
}

describeKafka('from the sender to Kafka and back', () => {
  test.each(['kept', 'lost'])(
    'the trace context is in the record, and in the acknowledgement after a kill -9 with the state directory %s',
    async (state) => {
      const deployment = await deploy(sharedKafka())
      const { cxone, post, records } = deployment
      cxone.script('acknowledge', Array(20).fill('hang'))
      expect(await post(eventText('a', '{"n":1}'), trace)).toMatchObject({ status: 200 })
      expect(await records()).toMatchObject([{ headers: { 'headgate-event-id': 'a', ...trace } }])
      await expect.poll(() => cxone.lastRequest?.headers).toMatchObject(trace)
      await deployment.end('SIGKILL')
      if (state === 'lost') rmSync(deployment.stateDirectory, { recursive: true })
      const before = cxone.lastRequest
      cxone.script('acknowledge', [])

      await deployment.start()
      // The session of the instance that was killed ends first.
      await expect.poll(() => cxone.acknowledged.get('a'), { timeout: 60_000 }).toBe(1)
      expect(cxone.lastRequest).not.toBe(before)
      expect(cxone.lastRequest?.headers).toMatchObject(trace)
    },
  )

  test('the id in a response leads to the line of the log, whether or not the sender gave it', async () => {
    const { headgate, post } = await deploy(sharedKafka())
    const lineOf = async (headers: { [name: string]: string }, body: string) => {
      const response = await post(body, headers)
      const id = response.headers.get('x-request-id')
      const lines = () => headgate.lines.filter((line) => line.includes(`"request_id":"${id}"`))
      await expect.poll(lines).toHaveLength(1)
      return { status: response.status, id, line: JSON.parse(lines()[0] ?? '') as object }
    }
    expect(await lineOf({ ...trace, 'x-request-id': 'r-1' }, 'no JSON')).toMatchObject({
      status: 400,
      id: 'r-1',
      line: { code: 'HG_INTAKE_NOT_JSON', trace_id: trace.traceparent.slice(3, 35) },
    })
    expect(await lineOf({ authorization: 'Bearer wrong' }, eventText('a', '{}'))).toMatchObject({
      status: 401,
      line: { code: 'HG_INTAKE_UNAUTHENTICATED' },
    })
    expect((await post(eventText('b', '{}'))).headers.get('x-request-id')).toBeNull()
  })
})
