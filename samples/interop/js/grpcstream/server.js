import grpc from '@grpc/grpc-js'
import { StreamSocket } from './socket.js'

/** A gRPC server on the libp2p streams that a host accepts. */
export class StreamServer {
  #server = new grpc.Server()
  #injector = this.#server.createConnectionInjector(grpc.ServerCredentials.createInsecure())
  #sockets = new Set()

  /** Registers a service, before the first stream. */
  addService (service, implementation) {
    this.#server.addService(service, implementation)
  }

  /** Serves gRPC on a stream: `node.handle(protocol, stream => server.handle(stream))`. */
  handle (stream) {
    const socket = new StreamSocket(stream)
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    this.#injector.injectConnection(socket)
  }

  /** Refuses new calls, and resolves once those that run have finished. */
  shutdown () {
    return new Promise((resolve, reject) => {
      this.#server.tryShutdown(error => { error == null ? resolve() : reject(error) })
    })
  }

  /** Cuts off the calls that run, by resetting their streams. */
  close () {
    this.#sockets.forEach(socket => socket.destroy())
    this.#server.forceShutdown()
  }
}
