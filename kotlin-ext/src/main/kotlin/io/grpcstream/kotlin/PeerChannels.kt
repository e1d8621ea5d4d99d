package io.grpcstream.kotlin

import io.grpc.ConnectivityState
import io.grpc.ManagedChannel
import io.grpcstream.PeerChannelBuilder
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * A channel to the peers of [target], which dials when it is needed and comes back when they do; see
 * [PeerChannelBuilder.forTarget]:
 *
 * ```
 * val channel =
 *     host.peerChannel("libp2p:$first,$second?protocol=/greeter/1.0.0") {
 *         defaultLoadBalancingPolicy("round_robin")
 *     }
 * val greeter = GreeterCoroutineStub(channel)
 * ```
 *
 * Callbacks run on the event loop of the stream, unless [configure] sets an executor; see
 * [grpcChannel]. Shutting the channel down leaves the connections, which are the host's.
 *
 * @throws IllegalArgumentException if it is no target
 */
public fun Host.peerChannel(
    target: String,
    configure: (@BuilderDsl PeerChannelBuilder).() -> Unit = {},
): ManagedChannel = PeerChannelBuilder.forTarget(this, target).configured(configure)

/** The same, to [peer]: connected, or at an address that the host knows. */
public fun Host.peerChannel(
    peer: PeerId,
    protocol: String,
    configure: (@BuilderDsl PeerChannelBuilder).() -> Unit = {},
): ManagedChannel = PeerChannelBuilder.forPeer(this, peer, protocol).configured(configure)

/** The same, to the peer at [address], which has to end in `/p2p/<peer id>`. */
public fun Host.peerChannel(
    address: Multiaddr,
    protocol: String,
    configure: (@BuilderDsl PeerChannelBuilder).() -> Unit = {},
): ManagedChannel = PeerChannelBuilder.forAddress(this, address, protocol).configured(configure)

private fun PeerChannelBuilder.configured(configure: PeerChannelBuilder.() -> Unit) =
    forCoroutines().apply(configure).build()

/**
 * The channel's states of connectivity: the present one at once, then each change, and complete after
 * [SHUTDOWN][ConnectivityState.SHUTDOWN]. A state that lasts for less than it takes to collect the one
 * before may be left out. Collecting does not make an idle channel connect; `getState(true)` does.
 */
public fun ManagedChannel.connectivity(): Flow<ConnectivityState> =
    flow {
        var state = getState(false)
        emit(state)
        while (state != ConnectivityState.SHUTDOWN) {
            state = changed(from = state)
            emit(state)
        }
    }

/** gRPC keeps the callback of a wait that is given up until the next change, and calls it then. */
private suspend fun ManagedChannel.changed(from: ConnectivityState): ConnectivityState {
    val wake = Channel<Unit>(Channel.CONFLATED)
    var state = from
    while (state == from) {
        notifyWhenStateChanged(from) { wake.trySend(Unit) }
        wake.receive()
        state = getState(false)
    }
    return state
}
