package io.grpcstream.samples.gateway.peers

/** What there is to be seen of a peer at one moment; as JSON, what the page shows. */
internal data class PeerSnapshot(
    val name: String,
    val id: String,
    val address: String,
    val protocol: String,
    val connected: Boolean,
    /** Why it is not connected, if something is known of that. */
    val trouble: String?,
    val roundTripMillis: Double?,
    val agent: String?,
    val protocols: List<String>,
    val security: String?,
    val muxer: String?,
    /** How often its services were told anew; a page that sees it grow asks for them again. */
    val servicesVersion: Int,
    val services: List<String>,
    /** Why its services are not known, if they are not. */
    val servicesTrouble: String?,
    /** What it says of its health, by service; the peer itself is the empty name. */
    val health: Map<String, String>,
    val calls: Long,
    val failedCalls: Long,
    val callsUnderWay: Int,
)
