/** A streaming call, message by message, for one reader. */
export class Conversation {
  /** The status that the call has ended with, once it has. */
  status
  #call
  #messages
  #error
  #ended = Promise.withResolvers()

  constructor (call) {
    this.#call = call
    this.#messages = call[Symbol.asyncIterator]()
    call.on('error', error => { this.#error = error })
    call.on('status', status => {
      this.status = status
      this.#ended.resolve(status)
    })
  }

  /** Resolves once gRPC has taken the message, or the call has ended. */
  async send (message) {
    await Promise.race([new Promise(resolve => this.#call.write(message, resolve)), this.#ended.promise])
  }

  halfClose () { this.#call.end() }

  cancel () { this.#call.cancel() }

  /** Resolves with the next message, undefined at the end; throws the status of a call that failed. */
  async next () {
    const { value, done } = await this.#messages.next()
    if (done) {
      // A call that fails before its first message is read ends the iteration as one that succeeds.
      await this.#ended.promise
      if (this.#error !== undefined) {
        throw this.#error
      }
    }
    return value
  }

  /** Resolves with the status of the call once it has ended. */
  ended () { return this.#ended.promise }
}

/** Makes a unary call, and resolves with the answer. */
export function unaryCall (client, method, request) {
  return new Promise((resolve, reject) => {
    client[method](request, (error, response) => { error == null ? resolve(response) : reject(error) })
  })
}
