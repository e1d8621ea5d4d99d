package io.grpcstream.samples.peercurl.doors

import com.google.protobuf.ByteString
import io.grpc.ManagedChannel
import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.grpc.Status
import io.grpc.StatusException
import io.grpc.netty.NettyChannelBuilder
import io.grpcstream.interop.DownloadRequest
import io.grpcstream.interop.Failure
import io.grpcstream.interop.InteropGrpcKt.InteropCoroutineImplBase
import io.grpcstream.interop.InteropGrpcKt.InteropCoroutineStub
import io.grpcstream.interop.Payload
import io.grpcstream.interop.StopReply
import io.grpcstream.interop.StopRequest
import io.grpcstream.interop.Total
import io.grpcstream.interop.downloadRequest
import io.grpcstream.interop.failure
import io.grpcstream.interop.payload
import io.grpcstream.interop.stopReply
import io.grpcstream.interop.total
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.shouldBe
import io.netty.channel.EventLoopGroup
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.io.Closeable
import java.net.InetAddress
import java.net.InetSocketAddress
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

internal val PATIENCE = 30.seconds
internal val LOCALHOST: InetSocketAddress = InetSocketAddress(InetAddress.getLoopbackAddress(), 0)
internal const val LARGE = 8 shl 20
internal const val CHUNK = 64 shl 10

/** The four kinds of call, with what tests want to know of them. */
internal class TestService : InteropCoroutineImplBase() {
    /** Payloads that downloads have handed over. */
    val sent = AtomicInteger()

    /** Calls that hang have begun, and were cancelled. */
    val hangs = AtomicInteger()
    val cancelled = AtomicInteger()

    /** Uploads read on once this is complete. */
    val readOn = CompletableDeferred<Unit>()

    override fun echo(requests: Flow<Payload>): Flow<Payload> = requests

    override fun download(request: DownloadRequest): Flow<Payload> =
        flow {
            val one = payload { data = ByteString.copyFrom(ByteArray(request.size)) }
            repeat(request.count) {
                emit(one)
                sent.incrementAndGet()
            }
            if (request.hold) hang()
        }

    override suspend fun upload(requests: Flow<Payload>): Total {
        var read = 0
        var size = 0L
        requests.collect {
            read++
            size += it.data.size()
            if (read == 1) readOn.await()
        }
        return total {
            count = read
            bytes = size
        }
    }

    override suspend fun stop(request: StopRequest): StopReply = stopReply { }

    override fun fail(requests: Flow<Failure>): Flow<Payload> =
        requests.map {
            throw Status.fromCodeValue(it.code).withDescription(it.message).asException()
        }

    private suspend fun hang() {
        hangs.incrementAndGet()
        try {
            awaitCancellation()
        } finally {
            cancelled.incrementAndGet()
        }
    }
}

/** Keeps the headers of calls, and answers `x-echo` in headers and trailers. */
internal class HeaderKeeper : ServerInterceptor {
    val seen = ConcurrentLinkedQueue<Metadata>()

    override fun <Q, R> interceptCall(
        call: ServerCall<Q, R>,
        headers: Metadata,
        next: ServerCallHandler<Q, R>,
    ): ServerCall.Listener<Q> {
        seen += headers
        return next.startCall(Echoing(call, headers.get(X_ECHO)), headers)
    }

    private class Echoing<Q, R>(
        call: ServerCall<Q, R>,
        private val echo: String?,
    ) : io.grpc.ForwardingServerCall.SimpleForwardingServerCall<Q, R>(call) {
        override fun sendHeaders(headers: Metadata) {
            echo?.let { headers.put(X_ECHO, it) }
            super.sendHeaders(headers)
        }

        override fun close(
            status: Status,
            trailers: Metadata,
        ) {
            echo?.let { trailers.put(X_ECHO, it) }
            super.close(status, trailers)
        }
    }

    companion object {
        val X_ECHO: Metadata.Key<String> =
            Metadata.Key.of(
                "x-echo",
                Metadata.ASCII_STRING_MARSHALLER,
            )
    }
}

/** What a door tells. */
internal class Events : (DoorEvent) -> Unit {
    val all = ConcurrentLinkedQueue<DoorEvent>()

    override fun invoke(event: DoorEvent) {
        all += event
    }

    inline fun <reified E : DoorEvent> of(): List<E> = all.filterIsInstance<E>()
}

/** Waits until [condition] holds. */
internal suspend fun eventually(condition: suspend () -> Boolean) =
    withTimeout(PATIENCE) {
        while (!condition()) delay(5.milliseconds)
    }

/** Waits until [count] has stood still for a while, and returns it. */
internal suspend fun standstill(count: () -> Int): Int =
    withTimeout(PATIENCE) {
        var seen = -1
        var still = 0
        while (still < 50) {
            delay(10.milliseconds)
            val now = count()
            still = if (now == seen && now > 0) still + 1 else 0
            seen = now
        }
        seen
    }

/** A plain gRPC channel to a TCP port, as any gRPC client has it. */
internal class Plain(
    address: InetSocketAddress,
) : Closeable {
    val channel: ManagedChannel =
        NettyChannelBuilder
            .forAddress(address)
            .usePlaintext()
            .maxInboundMessageSize(2 * LARGE)
            .build()
    val stub = InteropCoroutineStub(channel)

    override fun close() {
        channel.shutdownNow().awaitTermination(PATIENCE.inWholeSeconds, TimeUnit.SECONDS) shouldBe
            true
    }
}

internal fun bytes(size: Int): Payload =
    payload {
        data =
            ByteString.copyFrom(ByteArray(size) { it.toByte() })
    }

internal suspend fun InteropCoroutineStub.echoes(text: String): String =
    echo(
        flowOf(payload { data = ByteString.copyFromUtf8(text) }),
    ).toList().single().data.toStringUtf8()

/** The failure of a call. */
internal suspend fun statusOf(call: suspend () -> Unit): Status =
    shouldThrow<StatusException> { call() }.status

internal fun failing(
    status: Status.Code,
    text: String,
): Flow<Failure> =
    flowOf(
        failure {
            code = status.value()
            message = text
        },
    )

/** Runs [test] with event loops for hosts and doors. */
internal suspend fun withLoops(test: suspend (EventLoopGroup) -> Unit) {
    val loops = doorLoops(2)
    try {
        withContext(Dispatchers.IO) { test(loops) }
    } finally {
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitDone()
    }
}

/** A SETTINGS frame that sets nothing. */
internal val SETTINGS: ByteArray = byteArrayOf(0, 0, 0, 4, 0, 0, 0, 0, 0)

/** 128 MiB: twice what all windows and buffers on the way together may take. */
internal val MANY: DownloadRequest =
    downloadRequest {
        count = 2_048
        size = CHUNK
    }
