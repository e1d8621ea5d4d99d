package io.grpcstream.samples.gateway.peers

import com.google.protobuf.Descriptors.ServiceDescriptor
import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ClientCall
import io.grpc.ClientInterceptor
import io.grpc.ClientInterceptors
import io.grpc.ManagedChannel
import io.grpc.MethodDescriptor
import io.grpc.Status
import io.grpc.StatusException
import io.grpc.health.v1.HealthCheckRequest
import io.grpc.health.v1.HealthGrpc
import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.peerChannel
import io.grpcstream.kotlin.unary
import io.grpcstream.kotlin.withDeadline
import io.grpcstream.libp2p.Connection
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Registration
import io.grpcstream.samples.gateway.GatewayLimits
import io.grpcstream.samples.gateway.KnownPeer
import io.grpcstream.samples.gateway.http.Refusal
import io.grpcstream.samples.gateway.http.refusal
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.channels.Channel.Factory.CONFLATED
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.future.await
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import org.slf4j.LoggerFactory
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.LongAdder
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.channels.Channel as CoroutineChannel

/** How the services of a peer are found: those that are told over [Channel]. */
internal typealias ServiceFinder = suspend (Channel) -> Collection<ServiceDescriptor>

/**
 * A peer, its channel and all that is known of it. It has nothing in common with the other peers: not
 * a channel, not a limit, not a coroutine. For any thread.
 */
internal class GatewayPeer(
    val known: KnownPeer,
    private val host: Host,
    private val limits: GatewayLimits,
    private val find: ServiceFinder,
) : AutoCloseable {
    private val channel: ManagedChannel =
        host.peerChannel(known.address, known.protocol) {
            maxInboundMessageSize(limits.responseBytes)
            userAgent("grpcstream-gateway")
        }
    private var kept: Registration? = null

    /** The same, on which calls wait until the peer is reached. */
    private val patient = ClientInterceptors.intercept(channel, Patience)

    private object Patience : ClientInterceptor {
        override fun <Q, R> interceptCall(
            method: MethodDescriptor<Q, R>,
            options: CallOptions,
            next: Channel,
        ): ClientCall<Q, R> = next.newCall(method, options.withWaitForReady())
    }

    /** What came of the last attempt to learn its services. */
    private sealed interface Told {
        data object NotYet : Told

        class Services(
            val services: PeerServices,
        ) : Told

        class Trouble(
            val why: String,
        ) : Told
    }

    private class Round(
        val number: Int,
        val told: Told,
    )

    private val round = MutableStateFlow(Round(0, Told.NotYet))
    private val learn = CoroutineChannel<Unit>(CONFLATED)

    @Volatile
    private var health: Map<String, String> = emptyMap()

    @Volatile
    private var roundTripMillis: Double? = null

    @Volatile
    private var trouble: String? = null
    private val underWay = AtomicInteger()
    private val calls = LongAdder()
    private val failed = LongAdder()

    /** Keeps it connected, and learns about it while [scope] lives. */
    fun start(scope: CoroutineScope) {
        kept = host.keepConnected(known.id, listOf(known.address))
        scope.launch { learnServices() }
        scope.launch { repeatedly(PING_INTERVAL) { ping() } }
        scope.launch { repeatedly(HEALTH_INTERVAL) { askHealth() } }
    }

    /** A connection to it was made: it may be another program by now. */
    fun onConnected() {
        trouble = null
        channel.resetConnectBackoff() // Else calls would fail until the next attempt.
        learn.trySend(Unit)
    }

    fun onDisconnected() {
        if (connection() == null) {
            roundTripMillis = null
            health = emptyMap()
        }
    }

    /**
     * What it serves: waits for the first time that it tells.
     *
     * @throws Refusal if it has not told
     */
    suspend fun services(): PeerServices {
        val first =
            withTimeoutOrNull(limits.servicesTime) { round.first { it.told !is Told.NotYet } }
        return when (val told = first?.told) {
            is Told.Services -> told.services
            is Told.Trouble -> throw unknown(told.why)
            else -> throw unknown(trouble ?: "it is not connected")
        }
    }

    /** The same, told anew; for those who look for a service that was not there. */
    suspend fun servicesAnew(): PeerServices {
        val before = round.value.number
        learn.trySend(Unit)
        withTimeoutOrNull(limits.servicesTime) { round.first { it.number > before } }
        return services()
    }

    private fun unknown(why: String) =
        refusal(
            Status.Code.UNAVAILABLE,
            "the services of peer ${known.name} are not known: $why; gRPC-Web needs none of that",
        )

    /**
     * Runs [block], which makes one call, and counts it.
     *
     * @param block returns how the call has ended
     * @throws Refusal if too many are under way
     */
    suspend fun calling(block: suspend (Channel) -> Status) {
        try {
            if (underWay.incrementAndGet() > limits.callsPerPeer) {
                throw refusal(
                    Status.Code.RESOURCE_EXHAUSTED,
                    "${limits.callsPerPeer} calls to peer ${known.name} are under way, the gateway's limit",
                )
            }
            calls.increment()
            if (!block(channel).isOk) failed.increment()
        } finally {
            underWay.decrementAndGet()
        }
    }

    private fun connection(): Connection? = host.connections(known.id).firstOrNull()

    private suspend fun learnServices() {
        while (true) {
            // Anew when it connects, when somebody asks, and, where it failed, after a while.
            val pause = if (round.value.told is Told.Trouble) RETRY else STALE
            withTimeoutOrNull(pause) { learn.receive() }
            if (connection() == null) continue
            val told =
                try {
                    Told.Services(withTimeout(limits.servicesTime) { PeerServices(find(patient)) })
                } catch (e: Exception) {
                    // Whatever a peer answers with, it is that peer's trouble alone.
                    if (e is CancellationException && e !is TimeoutCancellationException) throw e
                    log.debug("the services of {} are not known", known, e)
                    Told.Trouble(GrpcStream.statusOf(e).description ?: e.toString())
                }
            round.value = Round(round.value.number + 1, told)
            askHealth()
        }
    }

    private suspend fun ping() {
        if (connection() == null) {
            dial()
            return
        }
        val roundTrip = withTimeoutOrNull(PATIENCE) { host.ping(known.id).await() }
        roundTripMillis = roundTrip?.let { it.toNanos() / NANOS_PER_MILLI }
    }

    /** [Host.keepConnected] dials with growing delays; this learns why it cannot be reached. */
    private suspend fun dial() {
        withTimeoutOrNull(PATIENCE) { host.connect(known.address).await() }
    }

    private suspend fun askHealth() {
        if (connection() == null) return
        val services = (round.value.told as? Told.Services)?.services?.services
        val names = listOf("") + services?.keys.orEmpty().take(MOST_ASKED)
        health =
            buildMap {
                for (name in names) healthOf(name)?.let { put(name, it) }
            }
    }

    /** Null if it does not say. */
    private suspend fun healthOf(service: String): String? =
        try {
            withDeadline(PATIENCE) {
                val request = HealthCheckRequest.newBuilder().setService(service).build()
                channel.unary(HealthGrpc.getCheckMethod(), request).status.name
            }
        } catch (e: StatusException) {
            if (e.status.code in UNTOLD) null else "UNKNOWN"
        }

    private suspend fun repeatedly(
        interval: Duration,
        action: suspend () -> Unit,
    ) {
        while (true) {
            try {
                action()
            } catch (e: CancellationException) {
                throw e
            } catch (e: Exception) {
                log.debug("{}: no sign of life", known, e)
                trouble = GrpcStream.statusOf(e).description ?: e.toString()
            }
            delay(interval)
        }
    }

    fun snapshot(): PeerSnapshot {
        val connection = connection()
        val info = connection?.peerInfo()?.orElse(null)
        val round = round.value
        return PeerSnapshot(
            name = known.name,
            id = known.id.toString(),
            address = known.address.toString(),
            protocol = known.protocol,
            connected = connection != null,
            trouble = trouble.takeIf { connection == null },
            roundTripMillis = roundTripMillis.takeIf { connection != null },
            agent = info?.agentVersion(),
            protocols = info?.protocols()?.sorted().orEmpty(),
            security = connection?.security(),
            muxer = connection?.muxer(),
            servicesVersion = round.number,
            services =
                (round.told as? Told.Services)
                    ?.services
                    ?.services
                    ?.keys
                    ?.toList()
                    .orEmpty(),
            servicesTrouble = (round.told as? Told.Trouble)?.why,
            health = health,
            calls = calls.sum(),
            failedCalls = failed.sum(),
            callsUnderWay = underWay.get(),
        )
    }

    override fun close() {
        kept?.close()
        channel.shutdownNow()
    }

    private companion object {
        val log = LoggerFactory.getLogger(GatewayPeer::class.java)
        val PING_INTERVAL = 2.seconds
        val HEALTH_INTERVAL = 5.seconds
        val PATIENCE = 5.seconds
        val RETRY = 3.seconds
        val STALE = 60.seconds
        const val MOST_ASKED = 16
        val UNTOLD = setOf(Status.Code.NOT_FOUND, Status.Code.UNIMPLEMENTED)
        const val NANOS_PER_MILLI = 1e6
    }
}
