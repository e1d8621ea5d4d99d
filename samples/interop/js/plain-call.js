// An ordinary gRPC client, without libp2p: makes the greeter's four kinds of call to HOST:PORT,
// behind which a peer may be (`peercurl forward`), and prints a line for each.
import { on, once } from 'node:events'
import grpc from '@grpc/grpc-js'
import { Greeter } from './services.js'

const [address] = process.argv.slice(2)
if (address === undefined) {
  console.error('usage: node plain-call.js HOST:PORT')
  process.exit(2)
}

const client = new Greeter(address, grpc.credentials.createInsecure())

/** Makes a call that has one answer. */
const answer = call => new Promise((resolve, reject) => {
  call((error, reply) => error ? reject(error) : resolve(reply.message))
})

/** The answers of a call that has several. */
async function answers (call) {
  const all = []
  for await (const { message } of call) {
    all.push(message)
  }
  return all.join(' ')
}

async function chat () {
  const call = client.chat()
  const replies = on(call, 'data')
  const all = []
  for (const name of ['Ada', 'Grace']) {
    call.write({ name })
    const { value: [{ message }] } = await replies.next() // Before the next name is sent.
    all.push(message)
  }
  call.end()
  await once(call, 'end')
  return all.join(' ')
}

const kinds = {
  unary: () => answer(done => client.sayHello({ name: 'Ada' }, done)),
  'server-streaming': () => answers(client.sayHelloStream({ name: 'Ada' })),
  'client-streaming': () => answer(done => {
    const call = client.sayHelloMany(done)
    call.write({ name: 'Ada' })
    call.write({ name: 'Grace' })
    call.end()
  }),
  'bidi-streaming': chat
}

try {
  for (const [name, run] of Object.entries(kinds)) {
    console.log(`${name} ok ${await run()}`)
  }
} catch (error) {
  console.log(`failed ${error.message}`)
  process.exitCode = 1
} finally {
  client.close()
}
