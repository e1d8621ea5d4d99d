package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.ClientCall
import io.grpc.Metadata
import io.grpc.Status
import io.grpc.Status.Code
import io.grpc.StatusException
import io.grpc.stub.StreamObserver
import io.grpcstream.ExceptionTypes
import io.grpcstream.GrpcStream
import io.grpcstream.PeerContext
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import java.io.IOException
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration

/** A service for Java, which tells whether it runs on the event loop of its stream. */
private class JavaGreeter : GreeterGrpc.GreeterImplBase() {
    override fun sayHello(
        request: HelloRequest,
        response: StreamObserver<HelloReply>,
    ) {
        val eventLoop =
            PeerContext
                .current()
                .stream()
                .channel()
                .eventLoop()
        response.onNext(reply(eventLoop.inEventLoop().toString()))
        response.onCompleted()
    }
}

class ServedCallSpec :
    StringSpec({
        "when the caller cancels, the coroutine of the service is cancelled" {
            val started = CompletableDeferred<Unit>()
            val cancelled = CompletableDeferred<Unit>()
            calling({
                service(GREETER) {
                    allKinds {
                        started.complete(Unit)
                        try {
                            awaitCancellation()
                        } finally {
                            cancelled.complete(Unit)
                        }
                    }
                }
            }) { channel ->
                coroutineScope {
                    val call = async { GreeterCoroutineStub(channel).sayHello(request("Ada")) }
                    started.await()
                    call.cancelAndJoin()
                    cancelled.await()
                }
            }
        }

        "a call ends also if the service's job was cancelled before its coroutine could start" {
            val job = Job().apply { cancel() }
            calling({ service(GREETER, job) { allKinds { reply("never") } } }) { channel ->
                allCalls(channel) { call ->
                    shouldThrow<StatusException> { call() }.status.code shouldBe Code.CANCELLED
                }
            }
        }

        "a job of the service's context outlives failing calls, and keeps none of them" {
            val job = Job()
            calling({ service(GREETER, job) { allKinds { throw IOException() } } }) { channel ->
                allCalls(channel) { call ->
                    shouldThrow<StatusException> { call() }.status.code shouldBe Code.UNKNOWN
                }
            }
            job.isActive shouldBe true
            job.complete()
            job.join()
        }

        "a service can stop collecting, and the rest of the requests holds nobody up" {
            val many = 1_000
            calling({
                service(GREETER) {
                    clientStreaming(GreeterGrpc.getSayHelloManyMethod()) { requests ->
                        reply(requests.first().name)
                    }
                    bidiStreaming(GreeterGrpc.getChatMethod()) { requests ->
                        flow {
                            val names = requests.take(2).toList().joinToString { it.name }
                            emit(reply(names))
                        }
                    }
                }
            }) { channel ->
                val stub = GreeterCoroutineStub(channel)
                val requests = flow { repeat(many) { emit(request("$it")) } }
                stub.sayHelloMany(requests).message shouldBe "0"
                stub.chat(requests).toList().map { it.message } shouldBe listOf("0, 1")
            }
        }

        "requests can be collected only once" {
            val second = CompletableDeferred<Throwable?>()
            calling({
                service(GREETER) {
                    clientStreaming(GreeterGrpc.getSayHelloManyMethod()) { requests ->
                        val all = requests.toList()
                        second.complete(runCatching { requests.toList() }.exceptionOrNull())
                        reply("${all.size}")
                    }
                }
            }) { channel ->
                val requests = flowOf(request("a"), request("b"))
                GreeterCoroutineStub(channel).sayHelloMany(requests).message shouldBe "2"
            }
            second.await()?.message shouldContain "greeter.Greeter/SayHelloMany"
        }

        "a unary call without a request, or with two, never gets to the service" {
            val entered = AtomicBoolean()
            val service =
                grpcService(GREETER) {
                    allKinds {
                        entered.set(true)
                        reply("never")
                    }
                }
            calling({ service(service) }) { channel ->
                listOf(0, 2).forEach { requests ->
                    val closed = CompletableDeferred<Status>()
                    // As a stream for the client's part, which does not let us do wrong otherwise.
                    val method =
                        GreeterGrpc
                            .getChatMethod()
                            .toBuilder()
                            .setFullMethodName("greeter.Greeter/SayHello")
                            .build()
                    val call = channel.newCall(method, CallOptions.DEFAULT)
                    val listener =
                        object : ClientCall.Listener<HelloReply>() {
                            override fun onClose(
                                status: Status,
                                trailers: Metadata,
                            ) {
                                closed.complete(status)
                            }
                        }
                    call.start(listener, Metadata())
                    repeat(requests) { call.sendMessage(request("Ada")) }
                    call.halfClose()
                    closed.await().isOk shouldBe false
                    if (requests == 0) closed.await().code shouldBe Code.INTERNAL
                    entered.get() shouldBe false
                }
            }
        }

        "a stream of no responses ends well" {
            calling({
                service(GREETER) {
                    serverStreaming(GreeterGrpc.getSayHelloStreamMethod()) { flowOf() }
                }
            }) { channel ->
                GreeterCoroutineStub(channel).sayHelloStream(request("a")).toList().size shouldBe 0
            }
        }

        "a service that may block never runs on an event loop, given at first or later" {
            calling({ service(JavaGreeter()) }) { channel ->
                GreeterCoroutineStub(channel).sayHello(request("Ada")).message shouldBe "false"
            }
            val grpc = grpcStream().registerService(JavaGreeter()).serve()
            twoHosts { dialer, listener ->
                listener.handle(PROTOCOL, grpc.handler())
                val stream = dialer.open(listener.listenAddresses().first(), PROTOCOL)
                val channel = stream.grpcChannel()
                GreeterCoroutineStub(channel).sayHello(request("Ada")).message shouldBe "false"
                channel.shutdownNow()
            }
            grpc.shutdownAndAwait(Duration.ZERO)
        }

        "a service of lambdas has its context and its failures on a GrpcStream for Java too" {
            val service =
                grpcService(GREETER) {
                    unary(GreeterGrpc.getSayHelloMethod()) {
                        require(it.name == currentPeer().peerId().toString()) { "secret" }
                        reply(currentCall().method.fullMethodName)
                    }
                }
            val grpc = GrpcStream.builder().mapFailure(ExceptionTypes::statusOf).build()
            grpc.registerService(service).serve()
            twoHosts { dialer, listener ->
                listener.handle(PROTOCOL, grpc.handler())
                val stream = dialer.open(listener.listenAddresses().first(), PROTOCOL)
                val channel = stream.grpcChannel()
                val stub = GreeterCoroutineStub(channel)
                stub.sayHello(request("${dialer.peerId()}")).message shouldBe
                    "greeter.Greeter/SayHello"
                shouldThrow<StatusException> { stub.sayHello(request("Eve")) }.status.code shouldBe
                    Code.INVALID_ARGUMENT
                channel.shutdownNow()
            }
            grpc.shutdownAndAwait(Duration.ZERO)
        }
    })
