import { expect, standstill } from './expect.js'
import { newName } from './scenarios-calls.js'
import { endChat, withStream } from './scenarios-kinds.js'
import { Conversation, unaryCall } from './streaming.js'

const CALLS = 1000
const STREAMS = 100
// What slow readers are sent, 64 MiB: far above all windows between them and the sender.
const SLOW_COUNT = 1024
const SLOW_SIZE = 64 << 10
const SLOW_KIB = SLOW_COUNT * SLOW_SIZE >> 10

export function concurrent (peer) {
  return withStream(peer, async ({ greeter }) => {
    await chatAtOnce(Array(CALLS).fill(greeter))
    return `${CALLS} calls at once on one stream`
  })
}

export async function streams (peer) {
  const clients = []
  try {
    for (let i = 0; i < STREAMS; i++) {
      clients.push(await peer.open())
    }
    await chatAtOnce(clients.map(({ greeter }) => greeter))
    const { remotePeer } = await peer.connect()
    expect('connections', peer.host.getConnections(remotePeer).length, 1)
    return `${STREAMS} streams at once on one connection`
  } finally {
    clients.forEach(client => client.close())
  }
}

/** Has a call open with each greeter at the same time: none ends before all have been answered. */
async function chatAtOnce (greeters) {
  const chats = greeters.map(greeter => new Conversation(greeter.chat()))
  await Promise.all(chats.map(async (chat, i) => {
    await chat.send({ name: `${i}` })
    expect(`call ${i}`, await chat.next(), { message: `Hello, ${i}!` })
  }))
  await Promise.all(chats.map(endChat))
}

/** Reads one payload, and the others only once the server has had to stop sending. */
export function slowCaller (peer) {
  return withControl(peer, async (interop, control) => {
    const { name, headers } = newName()
    const call = new Conversation(interop.download({ count: SLOW_COUNT, size: SLOW_SIZE }, headers))
    await call.next()
    const ahead = await standstill(async () => (await unaryCall(control, 'watch', { name })).sent)
    expect(`stopped at ${ahead} payloads of ${SLOW_COUNT}`, ahead < SLOW_COUNT, true)
    let read = 1
    for (let payload = await call.next(); payload !== undefined; payload = await call.next()) {
      expect('bytes', payload.data.length, SLOW_SIZE)
      read++
    }
    expect('payloads', read, SLOW_COUNT)
    return `the server stopped at ${ahead * SLOW_SIZE >> 10} KiB of ${SLOW_KIB}`
  })
}

/** Sends to a server that reads on only once we have had to stop. */
export function slowServer (peer) {
  return withControl(peer, async (interop, control) => {
    const { name, headers } = newName()
    const answer = Promise.withResolvers()
    const call = interop.upload(headers, (error, total) => {
      error == null ? answer.resolve(total) : answer.reject(error)
    })
    let sent = 0
    const send = () => {
      if (sent === SLOW_COUNT) {
        call.end()
        return
      }
      call.write({ data: Buffer.alloc(SLOW_SIZE) }, error => {
        if (error == null) {
          sent++
          send()
        }
      })
    }
    send()
    const stopped = standstill(async () => sent)
    const ahead = await Promise.race([stopped, answer.promise.then(() => SLOW_COUNT)])
    expect(`stopped at ${ahead} payloads of ${SLOW_COUNT}`, ahead < SLOW_COUNT, true)
    await unaryCall(control, 'resume', { name })
    expect('answer', await answer.promise, { count: SLOW_COUNT, bytes: SLOW_COUNT * SLOW_SIZE })
    return `the sender stopped at ${ahead * SLOW_SIZE >> 10} KiB of ${SLOW_KIB}`
  })
}

/** Runs a scenario with two streams: one for its calls, one to watch and steer them. */
function withControl (peer, run) {
  return withStream(peer, ({ interop }) =>
    withStream(peer, ({ interop: control }) => run(interop, control)))
}
