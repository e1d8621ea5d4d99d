package io.grpcstream.kotlin

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import java.nio.channels.ClosedChannelException
import kotlin.time.Duration

private class Greeter : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply = greet(request)

    override fun chat(requests: Flow<HelloRequest>): Flow<HelloReply> = requests.map(::greet)

    private fun greet(request: HelloRequest) = helloReply { message = "Hello, ${request.name}!" }
}

class GrpcStreamsSpec :
    StringSpec({
        "a stream's channel calls the services of the peer that the stream leads to" {
            greeting { _, stub ->
                stub.sayHello(helloRequest { name = "Ada" }).message shouldBe "Hello, Ada!"
                val names = flowOf("Ada", "Grace").map { helloRequest { name = it } }
                stub.chat(names).map { it.message }.toList() shouldBe
                    listOf("Hello, Ada!", "Hello, Grace!")
            }
        }

        "once the GrpcStream is shut down, calls on its streams fail with UNAVAILABLE" {
            greeting { grpc, stub ->
                stub.sayHello(helloRequest { name = "Ada" })
                grpc.shutdownAndAwait(Duration.ZERO)
                shouldThrow<StatusException> { stub.sayHello(helloRequest { name = "Ada" }) }
                    .status.code shouldBe Status.Code.UNAVAILABLE
            }
        }

        "an awaited connection names its peer and can be served" {
            val grpc = GrpcStream.create().registerService(Greeter())
            twoHosts { dialer, listener ->
                listener.handle(PROTOCOL, grpc.handler())
                coroutineScope {
                    val accepted = async { grpc.awaitConnection() }
                    val stream = dialer.open(listener.listenAddresses().first(), PROTOCOL)
                    val channel = stream.grpcChannel()
                    val connection = accepted.await()
                    connection.remotePeer() shouldBe dialer.peerId()
                    connection.serve()
                    GreeterCoroutineStub(
                        channel,
                    ).sayHello(helloRequest { name = "Ada" }).message shouldBe
                        "Hello, Ada!"
                    channel.shutdownNow()
                }
            }
            grpc.shutdownAndAwait(Duration.ZERO)
        }

        "a cancelled wait gives up its place and loses no connection" {
            val grpc = GrpcStream.create().registerService(Greeter())
            twoHosts { dialer, listener ->
                listener.handle(PROTOCOL, grpc.handler())
                coroutineScope {
                    val cancelled =
                        async(start = CoroutineStart.UNDISPATCHED) { grpc.awaitConnection() }
                    cancelled.cancelAndJoin()
                    val channel =
                        dialer
                            .open(
                                listener.listenAddresses().first(),
                                PROTOCOL,
                            ).grpcChannel()
                    grpc.awaitConnection().serve()
                    GreeterCoroutineStub(
                        channel,
                    ).sayHello(helloRequest { name = "Ada" }).message shouldBe
                        "Hello, Ada!"
                    channel.shutdownNow()
                }
            }
            grpc.shutdownAndAwait(Duration.ZERO)
        }

        "waiting fails once another decides about connections, or there will be none" {
            val serving = GrpcStream.create().serve()
            shouldThrow<IllegalStateException> { serving.awaitConnection() }
            serving.shutdownAndAwait(Duration.ZERO)

            val closed = GrpcStream.create()
            closed.shutdownAndAwait(Duration.ZERO)
            shouldThrow<ClosedChannelException> { closed.awaitConnection() }
        }
    })

/** Runs [test] with a serving [GrpcStream] and with a stub that calls it from another host. */
private suspend fun greeting(test: suspend (GrpcStream, GreeterCoroutineStub) -> Unit) {
    val grpc = GrpcStream.create().registerService(Greeter()).serve()
    twoHosts { dialer, listener ->
        listener.handle(PROTOCOL, grpc.handler())
        val channel = dialer.open(listener.listenAddresses().first(), PROTOCOL).grpcChannel()
        test(grpc, GreeterCoroutineStub(channel))
        channel.shutdownNow()
    }
    grpc.shutdownAndAwait(Duration.ZERO)
}
