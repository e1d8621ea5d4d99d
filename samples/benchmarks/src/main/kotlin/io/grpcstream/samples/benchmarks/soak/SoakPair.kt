package io.grpcstream.samples.benchmarks.soak

import io.grpc.ManagedChannel
import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.Stream
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.benchmarks.HostPair
import kotlinx.coroutines.future.await
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import java.time.Duration
import java.util.EnumMap
import java.util.concurrent.CompletionStage
import java.util.concurrent.Executor
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.LongAdder
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

/** What is cut, the rarer the more it takes with it. */
internal enum class Cut(
    val weight: Int,
) {
    CALLERS_STREAM_RESET(24),
    CALLERS_STREAM_CLOSED(10),
    SERVERS_STREAM_RESET(10),
    CHANNEL_SHUT_DOWN(8),
    CHANNEL_SHUT_DOWN_NOW(4),
    CONNECTION_CLOSED_BY_CALLER(8),
    CONNECTION_CLOSED_BY_SERVER(8),
    NETWORK_RESET(12),
    GRPC_STREAM_ENDED(5),
    SERVING_HOST_ENDED(6),
    CALLING_HOST_ENDED(5),
    ;

    companion object {
        fun draw(random: Random): Cut {
            var left = random.nextInt(entries.sumOf { it.weight })
            return entries.first { cut ->
                left -= cut.weight
                left < 0
            }
        }
    }
}

/**
 * Two hosts with a relay between them: one serves, the other calls over [LINES] streams. Whatever
 * ends is made anew when it is next needed; the hosts keep their identities.
 */
internal class SoakPair(
    private val security: String,
    private val ledger: Ledger,
    private val later: Executor,
) {
    private val serverKey = PrivateKey.generateEd25519()
    private val clientKey = PrivateKey.generateEd25519()
    private val relay = Relay()
    private val lines = List(LINES) { Slot() }

    /**
     * Grows when something is cut that may carry any call, once before and once after: while it is
     * odd, even what is opened now may be hit.
     */
    private val epoch = AtomicInteger()
    private val done = EnumMap<Cut, LongAdder>(Cut::class.java)

    @Volatile
    private lateinit var address: Multiaddr

    @Volatile
    private lateinit var server: Host

    @Volatile
    private lateinit var client: Host

    @Volatile
    private lateinit var grpc: GrpcStream

    init {
        Cut.entries.forEach { done[it] = LongAdder() }
    }

    suspend fun start() {
        grpc = grpcStream(direct = true)
        server = newServer()
        client = newClient()
    }

    /** How often each thing was cut. */
    fun cuts(): Map<Cut, Long> = done.mapValues { it.value.sum() }

    /** A channel that was not seen to end yet, or null if there is none to be had now. */
    suspend fun line(random: Random): Line? = lines.random(random).get()

    private suspend fun newServer(): Host =
        host(serverKey) { it.listen(HostPair.TCP) }.also {
            it.handle(PROTOCOL, grpc.handler())
            address = relay.to(it.listenAddresses().first())
        }

    private suspend fun newClient(): Host = host(clientKey) { it }

    private suspend fun host(
        key: PrivateKey,
        configure: (Host.Builder) -> Host.Builder,
    ): Host {
        val builder =
            Host
                .builder()
                .identity(key)
                .security(security)
                .threads(1)
        return configure(builder).build().start().await()
    }

    private fun grpcStream(direct: Boolean): GrpcStream =
        GrpcStream
            .builder()
            .addService(SoakService(ledger, later).definition())
            .also { if (direct) it.directExecutor() }
            .build()
            .serve()

    /** Cuts something, and mends what would not come back by itself; [random] says what and how. */
    suspend fun cut(random: Random) {
        val cut = Cut.draw(random)
        done.getValue(cut).increment()
        when (cut) {
            Cut.CALLERS_STREAM_RESET -> {
                lines.random(random).cut { it.stream.reset() }
            }

            Cut.CALLERS_STREAM_CLOSED -> {
                lines.random(random).cut { it.stream.close() }
            }

            Cut.CHANNEL_SHUT_DOWN -> {
                lines.random(random).cut { it.channel.shutdown() }
            }

            Cut.CHANNEL_SHUT_DOWN_NOW -> {
                lines.random(random).cut { it.channel.shutdownNow() }
            }

            else -> {
                epoch.incrementAndGet()
                cutForAll(cut, random)
                epoch.incrementAndGet()
            }
        }
    }

    private suspend fun cutForAll(
        cut: Cut,
        random: Random,
    ) {
        when (cut) {
            Cut.SERVERS_STREAM_RESET -> {
                server
                    .connections()
                    .flatMap { it.streams() }
                    .filter { it.protocol() == PROTOCOL }
                    .randomOrNull(random)
                    ?.reset()
            }

            Cut.CONNECTION_CLOSED_BY_CALLER -> {
                cutConnections { client.connections().forEach { it.close() } }
            }

            Cut.CONNECTION_CLOSED_BY_SERVER -> {
                cutConnections { server.connections().forEach { it.close() } }
            }

            Cut.NETWORK_RESET -> {
                cutConnections { relay.cut() }
            }

            Cut.GRPC_STREAM_ENDED -> {
                renewGrpcStream(random)
            }

            Cut.SERVING_HOST_ENDED -> {
                renewServer(random)
            }

            Cut.CALLING_HOST_ENDED -> {
                ends("the calling host", client.shutdown(grace(random)))
                client = newClient()
            }

            else -> {
                error("$cut is a matter of one line")
            }
        }
    }

    /**
     * Until those there were are gone, a new stream may be one of theirs. One that is there for its
     * dialler, but not yet for the other side, is not cut the first time.
     */
    private suspend fun cutConnections(how: () -> Unit) {
        val connections = client.connections() + server.connections()
        connections.forEach { connection ->
            val closed = connection.closed().toCompletableFuture()
            within("$connection") {
                while (!closed.isDone) {
                    how()
                    withTimeoutOrNull(1.seconds) { closed.copy().await() }
                }
            }
        }
    }

    private suspend fun renewGrpcStream(random: Random) {
        val old = grpc
        grpc = grpcStream(direct = random.nextBoolean())
        server.handle(PROTOCOL, grpc.handler())
        ends("a GrpcStream", old.shutdown(grace(random)))
    }

    /** With what it serves, before or after it; or without, and that then serves the next host. */
    private suspend fun renewServer(random: Random) {
        val host = server
        val ends = mutableListOf("the serving host" to { host.shutdown(grace(random)) })
        if (random.nextBoolean()) {
            val old = grpc
            ends += "a GrpcStream" to { old.shutdown(grace(random)) }
            grpc = grpcStream(direct = random.nextBoolean())
        }
        ends.shuffled(random).forEach { (what, end) -> ends(what, end()) }
        server = newServer()
    }

    /** Ends everything, in an order that [random] decides, whatever calls are under way. */
    suspend fun end(random: Random) {
        epoch.incrementAndGet()
        val ends =
            listOf(
                "the calling host" to { client.shutdown(grace(random)) },
                "the serving host" to { server.shutdown(grace(random)) },
                "a GrpcStream" to { grpc.shutdown(grace(random)) },
            )
        ends.shuffled(random).forEach { (what, end) -> ends(what, end()) }
        relay.close()
    }

    private fun grace(random: Random): Duration =
        if (random.nextBoolean()) Duration.ZERO else Duration.ofMillis(GRACE_MILLIS)

    private suspend fun ends(
        what: String,
        end: CompletionStage<*>,
    ) {
        within(what) { end.toCompletableFuture().copy().await() }
    }

    private suspend fun within(
        what: String,
        end: suspend () -> Unit,
    ) {
        if (withTimeoutOrNull(PATIENCE) {
                end()
                true
            } == null
        ) {
            ledger.add(Fault.STUCK)
            println("# $security: $what has not shut down within $PATIENCE")
        }
    }

    /** A channel, and what is known of the stream beneath it. */
    internal inner class Line(
        val channel: ManagedChannel,
        val stream: Stream,
        private val since: Int,
    ) {
        @Volatile
        var cut = false

        /** To be replaced: a call on it has failed. Calls that are under way may go on. */
        fun giveUp() {
            cut = true
            channel.shutdown()
        }

        /** Whether a call on it may fail. */
        fun wasCut(): Boolean = cut || since % 2 == 1 || since != epoch.get()

        val peer: String get() = stream.remotePeer().toString()
    }

    /** The place of one channel. */
    private inner class Slot {
        private val opening = Mutex()

        @Volatile
        private var line: Line? = null

        suspend fun get(): Line? {
            line?.let { if (!it.hasEnded()) return it }
            return opening.withLock {
                line?.takeUnless { it.hasEnded() } ?: open().also { line = it }
            }
        }

        private fun Line.hasEnded() =
            channel.isShutdown || stream.closed().toCompletableFuture().isDone

        private suspend fun open(): Line? {
            val since = epoch.get()
            val dial = client.newStream(address, PROTOCOL).toCompletableFuture()
            val opened =
                withTimeoutOrNull(PATIENCE) {
                    try {
                        Result.success(dial.copy().await())
                    } catch (e: IOException) {
                        Result.failure(e) // A host that is away, or goes meanwhile.
                    }
                }
            if (opened == null) {
                ledger.add(Fault.STUCK)
                println("# $security: a dial has not ended within $PATIENCE")
            }
            return opened?.getOrNull()?.let { stream ->
                val builder = GrpcStream.wrapClientBuilder(stream)
                if (this === lines.first()) builder.directExecutor()
                Line(builder.build(), stream, since)
            }
        }

        fun cut(how: (Line) -> Unit) {
            line?.let {
                it.cut = true
                how(it)
            }
        }
    }

    private companion object {
        const val PROTOCOL = "/soak/1.0.0"
        const val LINES = 4
        const val GRACE_MILLIS = 300L

        /** Far beyond every limit that the hosts have for a dial or a shutdown. */
        val PATIENCE = 120.seconds
    }
}

/** Ends all of [pairs] at the same time. */
internal suspend fun endAll(
    pairs: List<SoakPair>,
    random: Random,
) = supervisorScope {
    pairs.map { launch { it.end(Random(random.nextInt())) } }.joinAll()
}
