package io.grpcstream.samples.benchmarks

import io.grpc.ManagedChannel
import io.grpc.Status
import io.grpc.StatusRuntimeException
import io.grpc.stub.ClientCallStreamObserver
import io.grpc.stub.ClientResponseObserver
import io.grpcstream.benchmarks.LoadGrpc
import io.grpcstream.benchmarks.Payload
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit

/** The kinds of call that go on for long. */
internal enum class Streaming {
    DOWNLOAD,
    UPLOAD,
    BOTH,
}

/** One streaming call by Java's async stub, with as many messages under way as its flow control lets. */
internal class StreamingLoad(
    private val channel: ManagedChannel,
    private val kind: Streaming,
    private val message: Payload,
    private val service: LoadService,
) : Load {
    private lateinit var call: StreamedCall
    private lateinit var meter: Meter

    override fun start(meter: Meter) {
        this.meter = meter
        service.onUpload = { meter.done() }
        call = StreamedCall()
        val stub = LoadGrpc.newStub(channel)
        when (kind) {
            Streaming.DOWNLOAD -> stub.download(message, call)
            Streaming.UPLOAD -> stub.upload(call)
            Streaming.BOTH -> stub.both(call)
        }
    }

    override fun stop() = call.cancel()

    private companion object {
        /** A call that takes longer to end never does. */
        const val PATIENCE_SECONDS = 30L
    }

    private inner class StreamedCall : ClientResponseObserver<Payload, Payload> {
        private val ended = CompletableFuture<Throwable?>()
        private lateinit var requests: ClientCallStreamObserver<Payload>

        override fun beforeStart(requests: ClientCallStreamObserver<Payload>) {
            this.requests = requests
            if (kind != Streaming.DOWNLOAD) {
                requests.setOnReadyHandler { while (requests.isReady) requests.onNext(message) }
            }
        }

        override fun onNext(reply: Payload) = meter.done()

        override fun onError(failure: Throwable) {
            ended.complete(failure)
        }

        override fun onCompleted() {
            ended.complete(null)
        }

        fun cancel() {
            requests.cancel("measured", null)
            val failure = ended.get(PATIENCE_SECONDS, TimeUnit.SECONDS)
            check(
                failure is StatusRuntimeException && failure.status.code == Status.Code.CANCELLED,
            ) {
                "the call ended by itself: $failure"
            }
        }
    }
}
