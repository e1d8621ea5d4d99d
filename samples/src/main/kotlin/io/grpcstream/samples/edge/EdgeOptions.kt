package io.grpcstream.samples.edge

import io.grpcstream.libp2p.crypto.PrivateKey
import kotlin.time.Duration

/**
 * What a peer is told about itself.
 *
 * @property chain the id of its chain; with peers on another one it parts
 * @property listen the multiaddr at which others reach it
 * @property temporaryDial whether it only means to ask and to leave again: then those that it meets
 *   do not tell others of it
 * @property identity its key, of the type that Edge itself uses unless another is given
 * @property answer how long another peer has to answer, from opening the stream on
 */
data class EdgeOptions(
    val chain: Long = 100,
    val listen: String = "/ip4/127.0.0.1/tcp/0",
    val temporaryDial: Boolean = false,
    val identity: PrivateKey = PrivateKey.generateSecp256k1(),
    val answer: Duration = EdgeLimits.ANSWER,
)
