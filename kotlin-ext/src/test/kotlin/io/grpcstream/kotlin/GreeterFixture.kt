package io.grpcstream.kotlin

import io.grpc.Channel
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import io.grpcstream.libp2p.Host
import kotlin.time.Duration

/** Greets with [greeting], after [before] has returned. */
internal class GreetingService(
    private val greeting: String = "Hello",
    private val before: suspend () -> Unit = {},
) : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply {
        before()
        return helloReply { message = "$greeting, ${request.name}!" }
    }
}

/** The answer to one unary call over this channel. */
internal suspend fun Channel.greet(name: String): String =
    GreeterCoroutineStub(this).sayHello(helloRequest { this.name = name }).message

/** Runs [test] with two hosts, and with a [GrpcStream] that takes the streams of the listener. */
internal suspend fun accepting(
    grpc: GrpcStream = GrpcStream.create().registerService(GreetingService()),
    test: suspend (grpc: GrpcStream, dialer: Host, listener: Host) -> Unit,
) {
    twoHosts { dialer, listener ->
        listener.handle(PROTOCOL, grpc.handler())
        try {
            test(grpc, dialer, listener)
        } finally {
            grpc.shutdownAndAwait(Duration.ZERO)
        }
    }
}
