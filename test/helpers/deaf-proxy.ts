import { startTcpProxy } from './tcp-proxy.js'

/** A TCP proxy on loopback that can lose the responses of the server. */
export interface DeafProxy {
  readonly port: number
  /** From now on, requests reach the server, and its responses are lost. */
  loseAnswers(): void
  /** Cuts all connections, so that no partial response is left; new ones work in both directions. */
  heal(): void
  close(): void
}

/** Listens on `port` and passes on to `target`, another port of loopback. */
export async function startDeafProxy(port: number, target: number): Promise<DeafProxy> {
  let deaf = false
  const proxy = await startTcpProxy(port, target, (client, server) => {
    client.on('data', (data) => server.write(data))
    server.on('data', (data) => {
      if (!deaf) client.write(data)
    })
  })
  return {
    port,
    loseAnswers() {
      deaf = true
    },
    heal() {
      proxy.cut()
      deaf = false
    },
    close: proxy.close,
  }
}
