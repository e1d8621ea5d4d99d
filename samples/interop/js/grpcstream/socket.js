import { Duplex } from 'node:stream'

/**
 * Makes a libp2p stream the socket that Node's HTTP/2 expects. It slows down with the peer in both
 * directions, and closes half by half, as the libp2p stream does.
 */
export class StreamSocket extends Duplex {
  #stream
  /** Ends the write that waits for the stream to take more, if one does. */
  #written

  constructor (stream) {
    super()
    this.#stream = stream
    stream.addEventListener('message', ({ data }) => {
      const bytes = data instanceof Uint8Array ? data : data.subarray()
      if (!this.push(bytes) && stream.readStatus === 'readable') {
        stream.pause()
      }
    })
    stream.addEventListener('end', () => this.push(null))
    // Not at once: the stream would keep what is sent from within its own sending, and not send it.
    const onWritable = () => queueMicrotask(() => this.#onWritable())
    stream.addEventListener('idle', onWritable)
    stream.addEventListener('drain', onWritable)
    stream.addEventListener('close', ({ error }) => {
      const lost = connectionReset(error)
      this.#onWritten(lost)
      if (error != null) {
        this.destroy(lost)
      }
    })
  }

  _read () {
    if (this.#stream.readStatus === 'paused') {
      this.#stream.resume()
    }
  }

  _write (chunk, encoding, done) {
    this.#written = done
    try {
      this.#stream.send(chunk)
    } catch (error) {
      this.#onWritten(error)
    }
    this.#onWritable()
  }

  _final (done) {
    this.#stream.close().then(() => done(), done)
  }

  _destroy (error, done) {
    if (this.#stream.status === 'open') {
      this.#stream.abort(error ?? new Error('destroyed'))
    }
    done(error)
  }

  /** What gRPC calls on TCP sockets: libp2p has already done it. */
  setNoDelay () {}

  #onWritable () {
    // Alone, 'drain' can mean that the connection has room while the stream's own window is closed.
    if (this.#stream.writeBufferLength === 0 && !this.#stream.writableNeedsDrain) {
      this.#onWritten()
    }
  }

  #onWritten (error) {
    const done = this.#written
    this.#written = undefined
    done?.(error)
  }
}

/** The error of a TCP socket in the same place: for any other, gRPC says INTERNAL, not UNAVAILABLE. */
function connectionReset (cause) {
  const message = `the libp2p stream has closed: ${cause?.message ?? 'by the peer'}`
  return Object.assign(new Error(message, { cause }), { code: 'ECONNRESET' })
}
