package io.grpcstream.samples.peercurl

import io.grpcstream.kotlin.GrpcPeerBuilder
import io.grpcstream.libp2p.crypto.PrivateKey
import picocli.CommandLine.Option
import java.io.IOException
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.toJavaDuration

/** Who this process is among peers: of every command that has a host. */
internal class HostOptions {
    @Option(
        names = ["--identity"],
        paramLabel = "FILE",
        description = ["Be the peer of this key, made by 'peercurl key' (default: a new one)."],
    )
    var identity: Path? = null

    @Option(
        names = ["--connect-timeout"],
        paramLabel = "TIME",
        description = ["Give up connecting after this time, such as 5s (default: 15s)."],
    )
    var connectTimeout: Duration? = null

    /**
     * Gives a peer these options.
     *
     * @throws Failure if the key cannot be read
     */
    fun configure(builder: GrpcPeerBuilder) {
        identity?.let { builder.identity(keyIn(it)) }
        val timeout = connectTimeout
        builder.host {
            agentVersion("peercurl/${Version.number}")
            if (timeout != null) {
                val limit = timeout.toJavaDuration()
                limits(
                    io.grpcstream.libp2p.Limits
                        .builder()
                        .dialTimeout(limit)
                        .upgradeTimeout(limit)
                        .build(),
                )
            }
        }
    }

    private fun keyIn(file: Path): PrivateKey =
        try {
            PrivateKey.load(file)
        } catch (e: IOException) {
            throw Failure.usage("--identity: ${Failure.textOf(e)}", e)
        }
}
