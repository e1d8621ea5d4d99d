package io.grpcstream.samples.gateway

import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import java.net.InetSocketAddress
import java.nio.file.Path

/** A peer that clients of the gateway may call. */
data class KnownPeer(
    /** What it is called in paths, such as `shop`: letters, digits, `-`, `_` and `.`. */
    val name: String,
    /** Where it is reached: ends in `/p2p/<peer id>`, which the peer has to prove. */
    val address: Multiaddr,
    /** The libp2p protocol id under which it serves gRPC. */
    val protocol: String = GrpcStream.PROTOCOL,
) {
    /** Its id. */
    val id: PeerId =
        address.peerId().orElseThrow {
            IllegalArgumentException("$name: $address does not end in /p2p/<peer id>")
        }

    init {
        require(
            NAME.matches(name),
        ) { "\"$name\" is no name for a peer: letters, digits, - _ . are" }
    }

    /** Reads what is typed. */
    companion object {
        private val NAME = Regex("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

        /**
         * A peer from `name=multiaddr`.
         *
         * @throws IllegalArgumentException if it is none, with the reason
         */
        fun parse(
            text: String,
            protocol: String = GrpcStream.PROTOCOL,
        ): KnownPeer {
            require('=' in text) { "\"$text\" is no peer: name=multiaddr is wanted" }
            return KnownPeer(
                text.substringBefore('=').trim(),
                Multiaddr.parse(text.substringAfter('=').trim()),
                protocol,
            )
        }
    }
}

/** What a [Gateway] is made of. */
class GatewayOptions(
    /** The peers it calls, each of another name. */
    val peers: List<KnownPeer>,
    /** Where it listens for HTTP; with port 0, at any that is free. */
    val listen: InetSocketAddress = InetSocketAddress("127.0.0.1", 0),
    /** If not empty, only these of the [peers] are called, and no other is dialled. */
    val allowed: Set<PeerId> = emptySet(),
    /** What clients have to show as `authorization: Bearer …`; null if all may call. */
    val token: String? = null,
    /** Whether [token] may be null although others than this machine reach the gateway. */
    val openToAll: Boolean = false,
    /** The certificate and the key of TLS, as PEM files; null for plain HTTP. */
    val tls: Tls? = null,
    /** The origins, such as `https://shop.example`, whose pages may call across sites. */
    val cors: Set<String> = emptySet(),
    /** Names under which the gateway is reached, beside `localhost` and IP addresses. */
    val hostNames: Set<String> = emptySet(),
    /** The gateway's key as a peer; by default a fresh one. */
    val identity: PrivateKey? = null,
    /** A folder that is served under `/static/`, for pages of one's own; all may read it. */
    val static: Path? = null,
    /** What clients and peers may cost. */
    val limits: GatewayLimits = GatewayLimits(),
) {
    /** PEM files. */
    class Tls(
        /** The certificate, and those that lead to its issuer. */
        val certificate: Path,
        /** Its private key, PKCS#8. */
        val key: Path,
    )

    init {
        val twice = peers.groupBy { it.name }.filterValues { it.size > 1 }.keys
        require(twice.isEmpty()) { "two peers have the name $twice" }
        require(token == null || token.length >= MIN_TOKEN) {
            "the token has ${token?.length} characters, $MIN_TOKEN are needed"
        }
        require(token != null || openToAll || listen.address?.isLoopbackAddress == true) {
            "$listen is reached by others than this machine: give a token, or say that none is wanted"
        }
        for (origin in cors) {
            // Not "*", nor "null": that is what the pages of all sites send from within a sandbox.
            require(ORIGIN.matches(origin)) {
                "cors: \"$origin\" is no origin, as https://shop.example:8443 is one"
            }
        }
    }

    private companion object {
        const val MIN_TOKEN = 16

        /** As browsers send it: in lower case, without a path. */
        val ORIGIN = Regex("[a-z][a-z0-9+.-]*://[^/?#@*\\sA-Z]+")
    }
}
