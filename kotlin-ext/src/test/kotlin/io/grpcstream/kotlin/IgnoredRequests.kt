package io.grpcstream.kotlin

import io.grpc.stub.StreamObserver
import io.grpcstream.greeter.HelloRequest

/** Takes requests and does nothing about them. */
internal object IgnoredRequests : StreamObserver<HelloRequest> {
    override fun onNext(value: HelloRequest) = Unit

    override fun onError(failure: Throwable) = Unit

    override fun onCompleted() = Unit
}
