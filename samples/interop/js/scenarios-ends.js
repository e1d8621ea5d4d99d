import grpc from '@grpc/grpc-js'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { eventually, expect, expectCode } from './expect.js'
import { endChat, greetOnce, unary, withStream } from './scenarios-kinds.js'
import { Conversation, unaryCall } from './streaming.js'

const { UNAVAILABLE } = grpc.status

/** Stops the server during a call, which may finish; the stream takes no new ones. */
export function gracefulStop (peer) {
  return withChat(peer, async (greeter, chat) => {
    await stop(peer, true)
    await untilRefused(greeter)
    await greetOnce(chat, 'Grace')
    await endChat(chat)
    await unary(peer)
    return 'the call that ran finished, the next was refused, a new stream is served'
  })
}

/** Stops the server during a call, and the call with it. */
export function hardStop (peer) {
  return withChat(peer, async (greeter, chat) => {
    await stop(peer, false).catch(error => {
      if (error.code !== UNAVAILABLE) {
        throw error
      }
    })
    await expectCode('the call that ran', chat.next(), UNAVAILABLE)
    await untilRefused(greeter)
    await unary(peer)
    return 'the call that ran ended, a new stream is served'
  })
}

/** Loses the connection during a call, and dials again. */
export function reconnect (peer) {
  return withChat(peer, async (greeter, chat) => {
    const lost = await peer.connect()
    lost.abort(new Error('reconnect'))
    await expectCode('the call that ran', chat.next(), UNAVAILABLE)
    await untilRefused(greeter)
    await unary(peer)
    return 'the call that ran ended, a new connection is served'
  })
}

/** Dials the peer's address but expects another peer there. */
export async function identity (peer) {
  const other = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
  const address = peer.address.decapsulate('/p2p').encapsulate(`/p2p/${other}`)
  let connection
  try {
    connection = await peer.host.dial(address)
  } catch (error) {
    expect('connections', peer.host.getConnections(other), [])
    return `refused: ${error.message}`
  }
  throw new Error(`connected to ${connection.remotePeer} as if it were ${other}`)
}

/** Runs a scenario with a Chat that has been answered once, on a stream of its own. */
function withChat (peer, run) {
  return withStream(peer, async ({ greeter }) => {
    const chat = new Conversation(greeter.chat())
    await greetOnce(chat, 'Ada')
    return run(greeter, chat)
  })
}

function stop (peer, graceful) {
  return withStream(peer, ({ interop }) => unaryCall(interop, 'stop', { graceful }))
}

/** Makes calls until one fails with UNAVAILABLE, as all do once the news has arrived. */
function untilRefused (greeter) {
  return eventually(async () => {
    try {
      await unaryCall(greeter, 'sayHello', { name: 'Ada' })
      return false
    } catch (error) {
      if (error.code !== UNAVAILABLE) {
        throw error
      }
      return true
    }
  })
}
