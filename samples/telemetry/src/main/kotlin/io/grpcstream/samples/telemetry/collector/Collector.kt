package io.grpcstream.samples.telemetry.collector

import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.GrpcPeerBuilder
import io.grpcstream.kotlin.GrpcStreamBuilder
import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.samples.telemetry.Rules
import io.grpcstream.samples.telemetry.store.BatchWriter
import io.grpcstream.samples.telemetry.store.ReadingStore
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * Where devices report, and where viewers look: a peer that serves devices under [Rules.PROTOCOL] and
 * viewers under [GrpcStream.PROTOCOL], so that each has its own list of who may come.
 *
 * @param store keeps what devices report; it is the caller's to close
 */
class Collector(
    private val store: ReadingStore,
    private val limits: CollectorLimits = CollectorLimits(),
    private val admission: Admission = Admission(),
) {
    /** The devices that it knows. */
    val fleet: Fleet = Fleet(limits)

    private val writer =
        BatchWriter(store, limits.transaction) { arrival, added ->
            fleet.stored(arrival.peer, added)
        }

    /** Runs while [block] does, as the peer that [configure] describes: who it is, where it listens. */
    suspend fun <T> run(
        configure: GrpcPeerBuilder.() -> Unit,
        block: suspend CoroutineScope.(GrpcPeer) -> T,
    ): T =
        coroutineScope {
            fleet.remember(withContext(Dispatchers.IO) { store.devices(limits.devices) })
            val work = launch { upkeep() }
            try {
                // Services call devices by the peer that they are part of.
                val calls = CompletableDeferred<DeviceCalls>()
                withGrpcPeer({
                    configure()
                    host { limits(limits.ofHost()) }
                    callLimits(limits.ofCalls())
                    serve(Rules.PROTOCOL) { servesDevices() }
                    serve(GrpcStream.PROTOCOL) { servesViewers(calls::await) }
                }) { peer ->
                    calls.complete(DeviceCalls(peer.host(), limits.answer))
                    block(peer)
                }
            } finally {
                work.cancel() // after the peer: what was answered is stored
            }
        }

    private suspend fun upkeep() {
        coroutineScope {
            launch { writer.run() }
            var last = TimeSource.Monotonic.markNow()
            while (true) {
                delay(TICK)
                val now = TimeSource.Monotonic.markNow()
                fleet.tick(now - last)
                last = now
            }
        }
    }

    private fun GrpcStreamBuilder.servesDevices() {
        authorize(admission::allows)
        limitPerPeer(limits.callsPerDevice)
        callLimits = limits.ofCalls()
        service(CollectorService(fleet, writer))
        configure { configureServer { it.maxInboundMessageSize(Rules.MESSAGE_BYTES) } }
    }

    private fun GrpcStreamBuilder.servesViewers(calls: suspend () -> DeviceCalls) {
        authorize(admission::allows)
        // A gateway is one peer, and has many viewers.
        limitPerPeer(2 * limits.watches)
        callLimits = limits.ofCalls()
        service(DashboardService(fleet, limits, writer::lastTook, calls))
        health()
        reflection()
        configure { configureServer { it.maxInboundMessageSize(Rules.MESSAGE_BYTES) } }
    }

    private companion object {
        val TICK = 1.seconds
    }
}
