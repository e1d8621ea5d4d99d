package io.grpcstream.samples.gateway

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** What the gateway's clients and peers may cost it. */
class GatewayLimits(
    /** Bytes in the body of a request. */
    val requestBytes: Int = 4 * 1024 * 1024,
    /** Messages in the body of a request, which each cost memory beside their bytes. */
    val requestMessages: Int = 100_000,
    /** Bytes in the bodies of all requests that are under way. */
    val allRequestsBytes: Long = 64L * 1024 * 1024,
    /** Bytes in a message that a peer answers with. */
    val responseBytes: Int = 4 * 1024 * 1024,
    /** Connections of clients. */
    val connections: Int = 1_000,
    /** Calls that are under way to one peer: so a slow one takes no place from another. */
    val callsPerPeer: Int = 256,
    /** Browsers, or others, that follow the peers' state. */
    val followers: Int = 64,
    /** Time for a request to arrive, once it has begun. */
    val requestTime: Duration = 30.seconds,
    /** Time that a connection stays without a request under way. */
    val idle: Duration = 60.seconds,
    /** Time in which a client has to read something of a response that waits for it. */
    val patience: Duration = 60.seconds,
    /** The deadline of unary calls whose client has set none. */
    val unaryDeadline: Duration = 30.seconds,
    /** Time for a peer to tell its services. */
    val servicesTime: Duration = 10.seconds,
) {
    init {
        require(requestBytes > 0 && requestMessages > 0 && responseBytes > 0) {
            "messages need at least a byte"
        }
        require(connections > 0 && callsPerPeer > 0 && followers > 0) {
            "there has to be room for one, at least"
        }
        require(allRequestsBytes >= requestBytes) { "all requests have at least the bytes of one" }
    }
}
