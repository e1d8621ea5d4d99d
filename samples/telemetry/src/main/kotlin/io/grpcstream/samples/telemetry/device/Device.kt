package io.grpcstream.samples.telemetry.device

import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.libp2p.Limits
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.telemetry.Rules
import io.grpcstream.samples.telemetry.Settings
import io.grpcstream.samples.telemetry.checked
import io.grpcstream.samples.telemetry.checkedName
import io.grpcstream.samples.telemetry.toMessage
import io.netty.channel.EventLoopGroup
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.launch
import java.time.Instant
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration

/**
 * A device: it measures, reports to its collector whenever it reaches it, and is configured by the
 * collector over the connection that it has made. It listens nowhere, so nobody else can reach it.
 *
 * Fails with [io.grpc.StatusException] if the collector would not take its name or how it measures.
 *
 * @param name what it is called where people see it
 * @param key who it is: the same key is the same device, whenever and from wherever it comes
 * @param collector where the collector is, and who: ends in `/p2p/` and its id
 * @param sensor what it measures with
 * @param start how it measures until it is told otherwise
 * @param buffer what it has measured
 * @param loops event loops that it shares with other devices of its process; null for its own
 */
class Device(
    private val name: String,
    private val key: PrivateKey,
    private val collector: Multiaddr,
    private val sensor: Sensor,
    start: Settings = Settings(1.seconds),
    private val buffer: ReadingBuffer = ReadingBuffer(capacity = 1_000),
    private val loops: EventLoopGroup? = null,
) {
    private val current = MutableStateFlow(start)
    private val uplink = Uplink(name, buffer, current)

    init {
        // Said here, not by the collector later on.
        checkedName(name)
        start.toMessage().checked()
    }

    /** Who it is. */
    val peer: PeerId = PeerId.of(key.publicKey())

    /** Tells this run of it from others. */
    val run: Long get() = buffer.run

    /** How it measures. */
    val settings: StateFlow<Settings> = current.asStateFlow()

    /** What has become of its readings so far. */
    fun counts(): Counts = buffer.counts()

    /** Runs until it is cancelled. */
    suspend fun run() {
        val home = collector.peerId().orElseThrow()
        withGrpcPeer({
            identity(key)
            host {
                limits(LIMITS)
                loops?.let(::eventLoopGroup)
            }
            serve(Rules.PROTOCOL) {
                authorize { peer, _ -> peer == home }
                service(DeviceService(current))
                configure { configureServer { it.maxInboundMessageSize(Rules.MESSAGE_BYTES) } }
            }
            channels { maxInboundMessageSize(Rules.MESSAGE_BYTES) }
        }) { peer ->
            peer.host().keepConnected(home, listOf(collector))
            launch { measure() }
            uplink.run(peer.channel(home, Rules.PROTOCOL))
        }
    }

    private suspend fun measure() {
        current.collectLatest { settings ->
            // Devices that are started together need not measure together.
            delay(settings.interval * Random.nextDouble())
            while (!settings.paused) {
                // A sensor that is broken says NaN; nobody can do anything with that.
                sensor.measure(Instant.now()).filter { it.value.isFinite() }.forEach(buffer::add)
                delay(settings.interval)
            }
        }
    }

    private companion object {
        /** A device talks with one peer, and little: windows stay at what they start with. */
        val LIMITS: Limits =
            Limits
                .builder()
                .connections(4)
                .connectionsPerPeer(2)
                .inboundStreamsPerPeer(16)
                .connectionWindow(0)
                .keepAliveInterval(20.seconds.toJavaDuration())
                .build()
    }
}
