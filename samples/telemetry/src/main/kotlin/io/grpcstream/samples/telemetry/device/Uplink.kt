package io.grpcstream.samples.telemetry.device

import io.grpc.Channel
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.samples.telemetry.Settings
import io.grpcstream.samples.telemetry.toMessage
import io.grpcstream.telemetry.CollectorGrpcKt.CollectorCoroutineStub
import io.grpcstream.telemetry.ReportRequest
import io.grpcstream.telemetry.deviceInfo
import io.grpcstream.telemetry.reportRequest
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.merge
import org.slf4j.LoggerFactory
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.channels.Channel as Handover

/**
 * A device's call to the collector, which is made anew whenever it has ended. One batch is under way at
 * a time: the next one waits for the answer, which comes when the store has taken the one before.
 */
class Uplink(
    private val name: String,
    private val buffer: ReadingBuffer,
    private val settings: StateFlow<Settings>,
) {
    private var pause = FIRST_PAUSE

    /** Reports over [channel] until it is cancelled. */
    suspend fun run(channel: Channel) {
        val collector = CollectorCoroutineStub(channel).withWaitForReady()
        while (true) {
            try {
                report(collector)
            } catch (e: StatusException) {
                lost(e.status)
            }
            // Not all at once, where a collector comes back.
            delay(pause * Random.nextDouble(0.5, 1.0))
            pause = minOf(pause * 2, LAST_PAUSE)
        }
    }

    private suspend fun report(collector: CollectorCoroutineStub) {
        val answers = Handover<Unit>(1)
        collector.report(merge(information(), batches(answers))).collect {
            buffer.stored()
            answers.send(Unit)
            pause = FIRST_PAUSE
        }
    }

    private fun information(): Flow<ReportRequest> =
        settings.map {
            reportRequest {
                device =
                    deviceInfo {
                        name = this@Uplink.name
                        configuration = it.toMessage()
                    }
            }
        }

    private fun batches(answers: Handover<Unit>): Flow<ReportRequest> =
        flow {
            while (true) {
                val next = buffer.next().toMessage()
                emit(reportRequest { batch = next })
                answers.receive()
            }
        }

    private fun lost(status: Status) {
        LOG.debug("{} has lost its call: {}", name, status)
        if (status.code == Status.Code.INVALID_ARGUMENT) {
            LOG.warn("{} drops a batch that the collector refuses: {}", name, status.description)
            buffer.refused()
        }
    }

    private companion object {
        val FIRST_PAUSE: Duration = 500.milliseconds
        val LAST_PAUSE: Duration = 30.seconds
        val LOG = LoggerFactory.getLogger(Uplink::class.java)
    }
}
