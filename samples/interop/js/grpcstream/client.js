import grpc from '@grpc/grpc-js'
// grpc-js has no public way to say how a connection is made. These two classes are where it makes
// them; they are not part of its API, which is one more reason to pin its version.
import { Subchannel } from '@grpc/grpc-js/build/src/subchannel.js'
import { Http2SubchannelConnector } from '@grpc/grpc-js/build/src/transport.js'
import { StreamSocket } from './socket.js'

const NEVER = 2 ** 31 - 1 // Milliseconds: the longest time that a timer takes.

/** Makes connections by the function that it is given. */
class Connector extends Http2SubchannelConnector {
  #connect

  constructor (target, connect) {
    super(target)
    this.#connect = connect
  }

  async tcpConnect () { return this.#connect() }
}

/**
 * Returns a gRPC channel on a libp2p stream, which the channel owns from now on. The stream is never
 * dialled again: once it has ended, calls fail with UNAVAILABLE. For a client of a service:
 *
 *     new Greeter('', grpc.credentials.createInsecure(), { channelOverride: channel })
 *
 * Insecure, because libp2p has authenticated and encrypted what is below.
 */
export function newChannel (stream, peerId) {
  const channel = new grpc.Channel(`unix:${peerId}`, grpc.credentials.createInsecure(), {
    'grpc.default_authority': `${peerId}`,
    'grpc.client_idle_timeout_ms': NEVER // An idle channel would close the stream.
  })
  let connected = false
  const connect = () => {
    if (connected) {
      throw new Error('the libp2p stream has ended: open another one')
    }
    connected = true
    return new StreamSocket(stream)
  }
  channel.internalChannel.subchannelPool = {
    getOrCreateSubchannel: (target, address, options, credentials) =>
      new Subchannel(target, address, options, credentials, new Connector(target, connect)),
    unrefUnusedSubchannels () {}
  }
  channel.getConnectivityState(true) // Connects.
  return channel
}
