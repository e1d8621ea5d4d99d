package io.grpcstream.kotlin

import io.grpcstream.CallLimits
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.PeerChannelBuilder
import io.grpcstream.PeerExtension
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.crypto.PrivateKey
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withContext
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration

/**
 * Runs [block] with a started peer, and ends the peer with it, whether it returns, fails or is
 * cancelled:
 *
 * ```
 * val message =
 *     withGrpcPeer({
 *         listen("/ip4/0.0.0.0/tcp/0")
 *         identity(file)
 *         serve("/greeter/1.0.0") { service(Greeter()) }
 *     }) { peer ->
 *         val channel = peer.channel("libp2p:$other?protocol=/greeter/1.0.0")
 *         val greeter = GreeterCoroutineStub(channel)
 *         greeter.sayHello(helloRequest { name = "Ada" }).message
 *     }
 * ```
 *
 * Coroutines that [block] launches are awaited before the peer ends. Its end takes no new calls, gives
 * those in flight 5 seconds, and is waited for.
 *
 * @throws java.io.IOException or another failure of [Host.start] if the peer cannot be started
 */
public suspend fun <T> withGrpcPeer(
    configure: GrpcPeerBuilder.() -> Unit,
    block: suspend CoroutineScope.(GrpcPeer) -> T,
): T {
    val peer = grpcPeer(configure)
    try {
        peer.startAndAwait()
        return coroutineScope { block(peer) }
    } finally {
        withContext(NonCancellable) { peer.shutdownAndAwait() }
    }
}

/** A [GrpcPeer], not yet started: a host, what it serves and what it calls. */
public fun grpcPeer(configure: GrpcPeerBuilder.() -> Unit): GrpcPeer =
    GrpcPeerBuilder().apply(configure).build()

/**
 * Starts the peer, and returns it once it listens. Fails, with the peer shut down, if an address
 * cannot be had. Cancelling the coroutine does not stop a start under way: shut the peer down.
 */
public suspend fun GrpcPeer.startAndAwait(): GrpcPeer = start().await()

/**
 * Shuts the peer down and returns once all has ended: calls in flight have [grace], then they are cut;
 * see [GrpcPeer.shutdown]. The shutdown goes on if the coroutine is cancelled.
 */
public suspend fun GrpcPeer.shutdownAndAwait(
    grace: Duration = GrpcStream.DEFAULT_GRACE.toKotlinDuration(),
) {
    shutdown(grace.toJavaDuration()).awaitCompletion()
}

/** Collects what a [grpcPeer] is made of. */
@BuilderDsl
public class GrpcPeerBuilder internal constructor() {
    private val builder = GrpcPeer.builder()

    /**
     * Listens on [addresses], such as `/ip4/0.0.0.0/tcp/4001`, beside those named before. With none
     * the peer only dials, and is called over the connections that it makes.
     */
    public fun listen(vararg addresses: String) {
        addresses.forEach(builder::listen)
    }

    /** Is the peer of the key in [file], which is made if there is none; see [PrivateKey.loadOrCreate]. */
    public fun identity(file: Path): Unit = identity(PrivateKey.loadOrCreate(file))

    /** Is the peer of [key]; by default a fresh one each time. */
    public fun identity(key: PrivateKey) {
        builder.identity(key)
    }

    /** Serves the streams of [protocol] by what [configure] makes, as [grpcStream] does. */
    public fun serve(
        protocol: String = GrpcStream.PROTOCOL,
        configure: GrpcStreamBuilder.() -> Unit,
    ) {
        builder.serve(protocol, GrpcStreamBuilder().apply(configure).configured())
    }

    /** Serves the streams of [GrpcStream.PROTOCOL] by [grpc], which is shut down with the peer. */
    public fun serve(grpc: GrpcStream): Unit = serve(GrpcStream.PROTOCOL, grpc)

    /** Serves the streams of [protocol] by [grpc], which is shut down with the peer. */
    public fun serve(
        protocol: String,
        grpc: GrpcStream,
    ) {
        builder.serve(protocol, grpc)
    }

    /**
     * Adds [extension], such as telemetry, to the host, the channels and what is served from here; a
     * [GrpcStream] that was built elsewhere has what it was built with.
     */
    public fun install(extension: PeerExtension) {
        builder.install(extension)
    }

    /** What the peers that this one calls may cost, over all its channels. */
    public fun callLimits(limits: CallLimits) {
        builder.callLimits(limits)
    }

    /** Sets further options of the host. */
    public fun host(configure: (@BuilderDsl Host.Builder).() -> Unit) {
        builder.configureHost { it.configure() }
    }

    /**
     * Sets options of the channels that the peer makes, such as `defaultLoadBalancingPolicy`. Their
     * callbacks run on the event loop of the stream, unless this sets an executor.
     */
    public fun channels(configure: (@BuilderDsl PeerChannelBuilder).() -> Unit) {
        builder.configureChannels { it.configure() }
    }

    internal fun build(): GrpcPeer = builder.build()

    init {
        builder.configureChannels { it.forCoroutines() }
    }
}
