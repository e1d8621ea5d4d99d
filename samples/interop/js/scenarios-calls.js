import { randomUUID } from 'node:crypto'
import grpc from '@grpc/grpc-js'
import { eventually, expect, expectCode } from './expect.js'
import { withStream } from './scenarios-kinds.js'
import { detailsOf } from './services.js'
import { Conversation, unaryCall } from './streaming.js'

const { status: Code } = grpc
/** What gRPC servers accept in one message unless told otherwise. */
const MESSAGE_LIMIT = 4 << 20
const DEADLINE_MS = 500
/** What two clocks that started at different times may differ by. */
const CLOCK_MS = 10

export function metadata (peer) {
  return withStream(peer, async ({ interop }) => {
    const binary = Buffer.from([0, 1, 2, 0xff])
    const headers = new grpc.Metadata()
    headers.set('x-echo', 'text')
    headers.set('x-echo-bin', binary)
    const call = interop.echo(headers)
    const header = new Promise(resolve => call.once('metadata', resolve))
    const echo = new Conversation(call)
    echo.halfClose()
    expect('payload', await echo.next(), undefined)
    const { metadata: trailer } = await echo.ended()
    for (const [part, got] of [['header', await header], ['trailer', trailer]]) {
      expect(part, [got.get('x-echo'), got.get('x-echo-bin')], [['text'], [binary]])
    }
    return 'text and binary, in header and trailer'
  })
}

export function deadline (peer) {
  return withStream(peer, async ({ interop }) => {
    const deadline = Date.now() + DEADLINE_MS
    const { name, call } = await holdOneCall(interop, { deadline })
    // grpc-go's server resets the call at the deadline. Where that is seen before our own timer fires,
    // grpc-js says CANCELLED; other clients look at the clock first.
    const { code } = await expectCode('end of the call', call.next(), Code.DEADLINE_EXCEEDED, Code.CANCELLED)
    expect(`${Code[code]} came after the deadline`, Date.now() >= deadline - CLOCK_MS, true)
    const { deadlineMillis: left } = await untilCancelled(interop, name)
    expect(`${left} ms left, of ${DEADLINE_MS}`, left > 0 && left <= DEADLINE_MS, true)
    return `${Code[code]}; the server saw ${left} ms left, and the call end`
  })
}

export function cancel (peer) {
  return withStream(peer, async ({ interop }) => {
    const { name, call } = await holdOneCall(interop)
    call.cancel()
    await expectCode('end of the call', call.next(), Code.CANCELLED)
    await untilCancelled(interop, name)
    return 'the server saw the call cancelled'
  })
}

/** Makes a call that never ends by itself, and waits until it runs. */
async function holdOneCall (interop, options) {
  const { name, headers } = newName()
  const call = new Conversation(interop.download({ count: 1, size: 1, hold: true }, headers, options))
  expect('payload', await call.next(), { data: Buffer.alloc(1) })
  return { name, call }
}

/** Waits until the server knows that the call has been cancelled. */
function untilCancelled (interop, name) {
  return eventually(async () => {
    const seen = await unaryCall(interop, 'watch', { name })
    return seen.cancelled ? seen : undefined
  })
}

/** A name for a call, and the headers that tell it to the server. */
export function newName () {
  const name = randomUUID()
  const headers = new grpc.Metadata()
  headers.set('x-call', name)
  return { name, headers }
}

export function abort (peer) {
  return withStream(peer, async ({ interop }) => {
    const call = new Conversation(interop.fail())
    let sent = 0
    for (; call.status === undefined; sent++) {
      await call.send({ code: Code.ABORTED, message: 'enough' })
    }
    await expectCode('end of the call', call.next(), Code.ABORTED)
    return `ended while sending, at message ${sent}`
  })
}

export function status (peer) {
  return withStream(peer, async ({ interop }) => {
    const failure = { code: Code.FAILED_PRECONDITION, message: '100 % größer ✓' }
    const call = new Conversation(interop.fail())
    await call.send(failure)
    const error = await expectCode('end of the call', call.next(), failure.code)
    expect('message', error.details, failure.message)
    expect('details', detailsOf(error).map(({ code, message }) => ({ code, message })), [failure])
    return `${Code[error.code]} ${error.details}, with its detail`
  })
}

export function large (peer) {
  return withStream(peer, async ({ interop }) => {
    const payload = payloadOf(MESSAGE_LIMIT)
    const echo = new Conversation(interop.echo())
    await echo.send(payload)
    echo.halfClose()
    const back = await echo.next()
    expect('what came back is what was sent', payload.data.equals(back.data), true)
    expect('at the end of Echo', await echo.next(), undefined)
    return `a message of ${MESSAGE_LIMIT} bytes, both ways`
  })
}

export function tooLarge (peer) {
  return withStream(peer, async ({ interop }) => {
    const echo = new Conversation(interop.echo())
    await echo.send(payloadOf(MESSAGE_LIMIT + 1))
    await expectCode('end of the call', echo.next(), Code.RESOURCE_EXHAUSTED)
    return `${MESSAGE_LIMIT + 1} bytes were refused`
  })
}

/** Returns a message whose encoding has that many bytes. */
function payloadOf (encoded) {
  const overhead = 5 // One byte of tag, four of length.
  const data = Buffer.alloc(encoded - overhead)
  for (let i = 0; i < data.length; i++) {
    data[i] = i % 251
  }
  return { data }
}
