package io.grpcstream.samples.peercurl

import io.grpcstream.GrpcStream
import picocli.CommandLine.Mixin
import picocli.CommandLine.Option

/** How to reach a peer: of every command that dials one. */
internal class PeerOptions {
    @Mixin
    lateinit var host: HostOptions

    @Option(
        names = ["--protocol"],
        paramLabel = "ID",
        description = ["The protocol id of the peer's gRPC (default: ${GrpcStream.PROTOCOL})."],
    )
    var protocol: String? = null

    /** The protocol id to speak with [target]: the option's, the target's own, or the default. */
    fun protocolFor(target: Target): String = protocol ?: target.protocol ?: GrpcStream.PROTOCOL
}
