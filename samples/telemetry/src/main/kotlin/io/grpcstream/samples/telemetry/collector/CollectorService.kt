package io.grpcstream.samples.telemetry.collector

import io.grpcstream.kotlin.currentPeer
import io.grpcstream.samples.telemetry.Batch
import io.grpcstream.samples.telemetry.checked
import io.grpcstream.samples.telemetry.checkedName
import io.grpcstream.samples.telemetry.invalid
import io.grpcstream.samples.telemetry.store.Arrival
import io.grpcstream.samples.telemetry.store.BatchWriter
import io.grpcstream.telemetry.CollectorGrpcKt.CollectorCoroutineImplBase
import io.grpcstream.telemetry.DeviceInfo
import io.grpcstream.telemetry.ReportRequest
import io.grpcstream.telemetry.ReportRequest.ContentCase
import io.grpcstream.telemetry.ReportResponse
import io.grpcstream.telemetry.reportResponse
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import java.time.Clock

/**
 * Takes what devices report. Of each device one message is in hand at a time: while it waits for its
 * turn, or for the store, nothing more is read of that device's stream.
 */
class CollectorService(
    private val fleet: Fleet,
    private val writer: BatchWriter,
    private val clock: Clock = Clock.systemUTC(),
) : CollectorCoroutineImplBase() {
    override fun report(requests: Flow<ReportRequest>): Flow<ReportResponse> =
        flow {
            val device = currentPeer()
            val call = fleet.begin(device.peerId(), device.remoteAddress())
            try {
                coroutineScope {
                    val watch = launch { call.awaitReplaced() }
                    requests.collect { request -> take(call, request)?.let { emit(it) } }
                    watch.cancel()
                }
            } finally {
                fleet.end(call)
            }
        }

    /** Takes [request], and returns its answer, if it has one. */
    private suspend fun take(
        call: ReportCall,
        request: ReportRequest,
    ): ReportResponse? =
        when (request.contentCase) {
            ContentCase.BATCH -> {
                take(call, request.batch.checked(clock.instant()))
            }

            ContentCase.DEVICE -> {
                take(call, request.device)
                null
            }

            else -> {
                throw invalid("a report of nothing that we know")
            }
        }

    private suspend fun take(
        call: ReportCall,
        batch: Batch,
    ): ReportResponse {
        call.pace.take(batch.readings.size)
        fleet.told(call.peer, batch)
        val name = fleet.device(call.peer)?.name.orEmpty()
        writer.append(Arrival(call.peer, name, clock.instant(), batch))
        return reportResponse { storedThrough = batch.last }
    }

    private suspend fun take(
        call: ReportCall,
        device: DeviceInfo,
    ) {
        call.pace.take(1)
        fleet.told(call.peer, checkedName(device.name), device.configuration.checked())
    }
}
