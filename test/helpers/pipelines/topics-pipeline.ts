/** A config whose pipeline `orders` takes its events from the topic `orders`. */
export const topicsPipeline = (source: object = {}, more: object = {}): string =>
  JSON.stringify({
    pipelines: {
      orders: {
        source: { plugin: 'kafka', config: { topics: ['orders'], ...source } },
        transforms: [
          {
            plugin: 'route',
            config: {
              rules: [
                {
                  name: 'eu',
                  when: { regex: '^eu', at: '/region' },
                  to: { topic: 'by-region', partition: 1 },
                },
              ],
              otherwise: { topic: 'by-region', partition: 0 },
            },
          },
        ],
        sink: { plugin: 'kafka', config: { brokers: '127.0.0.1:1', headers: {} } },
        deadLetter: { topic: 'dead' },
        ...more,
      },
    },
  })
