import grpc from '@grpc/grpc-js'
import { statusOf } from './services.js'

/** Does what interop.proto says; `stop(graceful)` stops the server that this is registered with. */
export function newInterop (calls, stop) {
  return {
    echo (call) {
      calls.start(call)
      const echo = new grpc.Metadata()
      for (const key of ['x-echo', 'x-echo-bin']) {
        call.metadata.get(key).forEach(value => echo.add(key, value))
      }
      call.sendMetadata(echo)
      call.pipe(call, { end: false }) // Reads as fast as the caller does.
      call.on('end', () => call.end(echo))
    },

    fail (call) {
      calls.start(call)
      call.once('data', failure => call.emit('error', statusOf(failure)))
    },

    async download (call) {
      const { state } = calls.start(call)
      const { count, size, hold } = call.request
      const payload = { data: Buffer.alloc(size) }
      while (state.sent < count && !state.cancelled) {
        // Waits for as long as flow control says.
        await new Promise(resolve => call.write(payload, resolve))
        state.sent++
      }
      if (!hold) {
        call.end()
      }
    },

    async upload (call, reply) {
      const watched = calls.start(call)
      const total = { count: 0, bytes: 0 }
      try {
        for await (const { data } of call) {
          total.count++
          total.bytes += data.length
          watched.state.received++
          await watched.resumed()
        }
        reply(null, total)
      } catch (error) {
        if (!watched.state.cancelled) {
          throw error
        }
      }
    },

    resume ({ request: { name } }, reply) {
      const call = calls.get(name)
      call.resume()
      reply(null, call.state)
    },

    watch ({ request: { name } }, reply) {
      reply(null, calls.get(name).state)
    },

    stop ({ request: { graceful } }, reply) {
      reply(null, {})
      stop(graceful)
    }
  }
}
