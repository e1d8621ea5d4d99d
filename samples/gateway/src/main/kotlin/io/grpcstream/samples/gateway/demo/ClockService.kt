package io.grpcstream.samples.gateway.demo

import com.google.rpc.BadRequest
import com.google.rpc.BadRequest.FieldViolation
import io.grpc.Status.Code
import io.grpcstream.clock.ClockGrpcKt.ClockCoroutineImplBase
import io.grpcstream.clock.GetTimeRequest
import io.grpcstream.clock.TickRequest
import io.grpcstream.clock.Time
import io.grpcstream.clock.time
import io.grpcstream.kotlin.statusException
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import java.time.Clock
import java.time.DateTimeException
import java.time.ZoneId
import java.time.format.DateTimeFormatter
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** Tells the time in places, as often as it is asked to. */
internal class ClockService(
    private val clock: Clock = Clock.systemUTC(),
) : ClockCoroutineImplBase() {
    override suspend fun getTime(request: GetTimeRequest): Time = timeIn(zone(request.zone))

    override fun tick(request: TickRequest): Flow<Time> =
        flow {
            val zone = zone(request.zone)
            val interval = if (request.hasInterval()) request.interval.toDuration() else 1.seconds
            var left = request.count
            while (true) {
                emit(timeIn(zone))
                if (--left == 0) break
                delay(interval.coerceAtLeast(LEAST))
            }
        }

    private fun com.google.protobuf.Duration.toDuration(): Duration =
        seconds.seconds + nanos.nanoseconds

    private fun zone(name: String): ZoneId =
        try {
            ZoneId.of(name.ifEmpty { "UTC" })
        } catch (e: DateTimeException) {
            val violation =
                FieldViolation
                    .newBuilder()
                    .setField(
                        "zone",
                    ).setDescription(e.message.orEmpty())
            val details = BadRequest.newBuilder().addFieldViolations(violation).build()
            throw statusException(Code.INVALID_ARGUMENT, "there is no zone \"$name\"", details)
        }

    private fun timeIn(where: ZoneId): Time {
        val now = clock.instant()
        return time {
            zone = where.id
            moment =
                com.google.protobuf.Timestamp
                    .newBuilder()
                    .setSeconds(now.epochSecond)
                    .setNanos(now.nano)
                    .build()
            shown = FORMAT.format(now.atZone(where))
        }
    }

    private companion object {
        val LEAST = 10.milliseconds
        val FORMAT: DateTimeFormatter = DateTimeFormatter.ofPattern("HH:mm:ss")
    }
}
