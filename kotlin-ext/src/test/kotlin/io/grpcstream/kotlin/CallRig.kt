package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.ManagedChannel
import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Stream
import io.grpcstream.netty.fixWindow
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.future.await
import kotlin.time.Duration

private const val ECHO_PROTOCOL = "/echo/1.0.0"

/** Rounds from peer to peer in which a sender that still sends would. */
private const val ROUNDS = 20

/** Two hosts with one connection, on it a channel to the service under test and one that echoes. */
internal class CallRig(
    private val style: CallStyle,
    private val dialer: Host,
    private val listener: Host,
    private val channel: ManagedChannel,
    private val echo: GreeterClient,
) {
    val client: GreeterClient = style.client(channel)

    /** The stream that calls go over; a channel to a peer has one once it is called. */
    val stream: Stream
        get() = dialer.connections().flatMap { it.streams() }.single { it.protocol() == PROTOCOL }

    fun client(options: CallOptions): GreeterClient = style.client(channel, options)

    fun cutConnection() = dialer.connections().forEach { it.close() }

    /** Returns what [count] gives once it has not changed during some calls and pings. */
    suspend fun onceStill(count: () -> Int): Int {
        var last: Int
        do {
            last = count()
            repeat(ROUNDS) {
                echo.unary("still there?") shouldBe "still there?"
                dialer.ping(listener.peerId()).await()
            }
        } while (count() != last)
        return last
    }
}

/**
 * Runs [test] with a service that handles all calls by [handler], and stops everything after it.
 *
 * @param window the bytes of the HTTP/2 windows of both sides, or null for those that gRPC chooses
 */
internal suspend fun calling(
    style: CallStyle,
    handler: Handler,
    window: Int? = null,
    test: suspend CallRig.(scope: CoroutineScope) -> Unit,
) {
    val tested = serving(style, handler, window)
    val echoing = serving(style, { it }, window)
    try {
        twoHosts { dialer, listener ->
            listener.handle(PROTOCOL, tested.handler())
            listener.handle(ECHO_PROTOCOL, echoing.handler())
            val address = listener.listenAddresses().first()
            val channel =
                if (style.byPeer) {
                    dialer.peerChannel(address, PROTOCOL) {
                        if (window != null) fixWindow(this, window)
                    }
                } else {
                    tested.client(dialer.open(address, PROTOCOL))
                }
            val echo = echoing.client(dialer.open(address, ECHO_PROTOCOL))
            try {
                val rig = CallRig(style, dialer, listener, channel, style.client(echo))
                coroutineScope { rig.test(this) }
            } finally {
                channel.shutdownNow()
                echo.shutdownNow()
            }
        }
    } finally {
        tested.shutdownAndAwait(Duration.ZERO)
        echoing.shutdownAndAwait(Duration.ZERO)
    }
}

private fun serving(
    style: CallStyle,
    handler: Handler,
    window: Int?,
): GrpcStream {
    val builder = GrpcStream.builder()
    if (window != null) {
        builder.configureServer { fixWindow(it, window) }
        builder.configureClient { fixWindow(it, window) }
    }
    return builder.build().registerService(style.service(greeterOf(handler))).serve()
}
