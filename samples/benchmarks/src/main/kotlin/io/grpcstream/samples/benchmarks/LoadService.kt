package io.grpcstream.samples.benchmarks

import io.grpc.stub.ServerCallStreamObserver
import io.grpc.stub.StreamObserver
import io.grpcstream.benchmarks.LoadGrpc
import io.grpcstream.benchmarks.Payload

/** What is called, by Java's stubs: as little work as a service can do. */
internal class LoadService : LoadGrpc.LoadImplBase() {
    /** Called for each message that an upload brings. */
    @Volatile
    var onUpload: () -> Unit = {}

    override fun unary(
        request: Payload,
        replies: StreamObserver<Payload>,
    ) {
        replies.onNext(request)
        replies.onCompleted()
    }

    override fun download(
        request: Payload,
        replies: StreamObserver<Payload>,
    ) {
        replies as ServerCallStreamObserver<Payload>
        replies.setOnReadyHandler { while (replies.isReady) replies.onNext(request) }
    }

    override fun upload(replies: StreamObserver<Payload>): StreamObserver<Payload> =
        object : StreamObserver<Payload> {
            override fun onNext(request: Payload) = onUpload()

            override fun onError(failure: Throwable) = Unit

            override fun onCompleted() {
                replies.onNext(Payload.getDefaultInstance())
                replies.onCompleted()
            }
        }

    override fun both(replies: StreamObserver<Payload>): StreamObserver<Payload> {
        replies as ServerCallStreamObserver<Payload>
        replies.disableAutoRequest()
        replies.setOnReadyHandler { replies.request(1) }
        return object : StreamObserver<Payload> {
            override fun onNext(request: Payload) {
                replies.onNext(request)
                // Not ready: the handler asks for the next.
                if (replies.isReady) replies.request(1)
            }

            override fun onError(failure: Throwable) = Unit

            override fun onCompleted() = replies.onCompleted()
        }
    }
}
