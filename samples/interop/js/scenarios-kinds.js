import { expect } from './expect.js'
import { Conversation, unaryCall } from './streaming.js'

/** Shows what the connection has agreed on. */
export async function connect (peer) {
  const { remotePeer, encryption, multiplexer } = await peer.connect()
  return `${remotePeer} security=${encryption} muxer=${multiplexer}`
}

export function unary (peer) {
  return withStream(peer, async ({ greeter }) => {
    const { message } = await unaryCall(greeter, 'sayHello', { name: 'Ada' })
    expect('reply', message, 'Hello, Ada!')
    return message
  })
}

export function serverStreaming (peer) {
  return withStream(peer, async ({ greeter }) => {
    const replies = await greeter.sayHelloStream({ name: 'Ada' }).toArray()
    const messages = replies.map(({ message }) => message)
    expect('replies', messages, ['Hello, Ada!', 'Bonjour, Ada!', 'Hej, Ada!'])
    return messages.join(' ')
  })
}

export function clientStreaming (peer) {
  return withStream(peer, ({ greeter }) => new Promise((resolve, reject) => {
    const call = greeter.sayHelloMany((error, reply) => {
      if (error == null && reply.message === 'Hello, Ada and Grace!') {
        resolve(reply.message)
      } else {
        reject(error ?? new Error(`reply: ${reply.message}`))
      }
    })
    call.write({ name: 'Ada' })
    call.end({ name: 'Grace' })
  }))
}

export function bidiStreaming (peer) {
  return withStream(peer, async ({ greeter }) => {
    const chat = new Conversation(greeter.chat())
    await greetOnce(chat, 'Ada')
    await greetOnce(chat, 'Grace')
    await endChat(chat)
    return 'greeted Ada, then Grace'
  })
}

/** Sends a name on a Chat and waits for the greeting. */
export async function greetOnce (chat, name) {
  await chat.send({ name })
  expect('reply', await chat.next(), { message: `Hello, ${name}!` })
}

/** Half-closes a Chat and waits for its end. */
export async function endChat (chat) {
  chat.halfClose()
  expect('at the end of Chat', await chat.next(), undefined)
}

/** Opens a stream for the time of run. */
export async function withStream (peer, run) {
  const clients = await peer.open()
  try {
    return await run(clients)
  } finally {
    clients.close()
  }
}
