package io.grpcstream.kotest

/** The peers of a test, in the order of their indices: `val (alice, bob) = peers`. */
public class Peers internal constructor(
    peers: List<Peer>,
) : List<Peer> by peers {
    override fun toString(): String = joinToString(prefix = "[", postfix = "]")
}
