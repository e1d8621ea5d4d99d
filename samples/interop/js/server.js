import { Calls } from './calls.js'
import { greeter } from './greeter.js'
import { StreamServer } from './grpcstream/server.js'
import { newInterop } from './interop.js'
import { Greeter, Interop } from './services.js'

/** The gRPC server of this process, which a call to Stop replaces by another one. */
export class Server {
  #calls = new Calls()
  #current

  constructor () {
    this.#start()
  }

  /** Serves gRPC on a stream. */
  handle (stream) { this.#current.handle(stream) }

  /** Cuts off the calls that run. */
  close () { this.#current.close() }

  #start () {
    this.#current = new StreamServer()
    this.#current.addService(Greeter.service, greeter)
    this.#current.addService(Interop.service, newInterop(this.#calls, graceful => this.#restart(graceful)))
  }

  #restart (graceful) {
    const before = this.#current
    this.#start()
    if (graceful) {
      before.shutdown().catch(error => console.error('gRPC server:', error))
    } else {
      before.close()
    }
  }
}
