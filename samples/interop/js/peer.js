import grpc from '@grpc/grpc-js'
import { multiaddr } from '@multiformats/multiaddr'
import { newChannel } from './grpcstream/client.js'
import { STREAMS } from './host.js'
import { Greeter, Interop } from './services.js'

/** The peer that we call, at a multiaddr that ends in its peer id. */
export class Peer {
  constructor (host, address, protocol) {
    this.host = host
    this.address = multiaddr(address)
    this.protocol = protocol
  }

  /** Resolves with the connection that there is, or else with a new one. */
  connect () { return this.host.dial(this.address) }

  /** Opens a stream for clients of both services; close() ends them and the stream. */
  async open () {
    const connection = await this.connect()
    const stream = await connection.newStream(this.protocol, STREAMS)
    const channel = newChannel(stream, connection.remotePeer)
    const client = Service => new Service('', grpc.credentials.createInsecure(), { channelOverride: channel })
    return { greeter: client(Greeter), interop: client(Interop), close: () => channel.close() }
  }
}
