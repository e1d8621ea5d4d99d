/** The calls that arrived with an x-call header, by its value. They outlive the server that served them. */
export class Calls {
  #byName = new Map()

  /** The call of that name, whether it has started or not. */
  get (name) {
    const known = this.#byName.get(name) ?? new Call()
    this.#byName.set(name, known)
    return known
  }

  /** The call that a service has just received. */
  start (grpcCall) {
    const [name] = grpcCall.metadata.get('x-call')
    const call = name === undefined ? new Call() : this.get(name)
    call.start(grpcCall)
    return call
  }
}

/** What we know about one call; `state` is the message interop.Call. */
class Call {
  state = { started: false, sent: 0, received: 0, deadlineMillis: 0, cancelled: false }
  #resume = Promise.withResolvers()

  start (grpcCall) {
    this.state.started = true
    const deadline = grpcCall.getDeadline()
    if (deadline !== Infinity) {
      this.state.deadlineMillis = Math.round(Number(deadline) - Date.now())
    }
    grpcCall.on('cancelled', () => {
      this.state.cancelled = true
      this.resume()
    })
  }

  /** Lets an Upload go on. */
  resume () { this.#resume.resolve() }

  /** Resolves once it may, or once it is cancelled. */
  resumed () { return this.#resume.promise }
}
