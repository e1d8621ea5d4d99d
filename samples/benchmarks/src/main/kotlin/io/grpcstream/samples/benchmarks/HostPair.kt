package io.grpcstream.samples.benchmarks

import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.Stream
import io.netty.channel.EventLoopGroup
import java.security.Provider
import java.time.Duration
import java.util.concurrent.TimeUnit

/**
 * Two libp2p hosts of ours in this process: one listens, the other dials.
 *
 * @param link what stands between them, if anything does
 * @param loops what both run on, this object's to shut down; null if each has its own
 */
internal class HostPair(
    listen: String,
    security: String,
    cipherProvider: Provider? = null,
    link: DelayedLink? = null,
    private val loops: EventLoopGroup? = null,
) : AutoCloseable {
    val server: Host = host(security, cipherProvider).listen(listen).build()
    val client: Host = host(security, cipherProvider).build()

    init {
        server.start().toCompletableFuture().join()
        client.start().toCompletableFuture().join()
    }

    /** What the client dials. */
    val address: Multiaddr =
        server.listenAddresses().first().let { if (link == null) it else link.to(it) }

    /** A stream on the one connection from the client to the server. */
    fun newStream(protocol: String): Stream =
        client.newStream(address, protocol).toCompletableFuture().join()

    override fun close() {
        listOf(client, server)
            .map { it.shutdown(Duration.ofSeconds(1)).toCompletableFuture() }
            .forEach { it.join() }
        loops?.shutdownGracefully(0, 1, TimeUnit.SECONDS)?.syncUninterruptibly()
    }

    private fun host(
        security: String,
        cipherProvider: Provider?,
    ): Host.Builder =
        Host
            .builder()
            .security(security)
            .cipherProvider(cipherProvider)
            .also { builder -> loops?.let(builder::eventLoopGroup) }

    companion object {
        const val TCP = "/ip4/127.0.0.1/tcp/0"
        const val MEMORY = "/memory/0"
        const val NOISE = "/noise"
        const val TLS = "/tls/1.0.0"
    }
}
