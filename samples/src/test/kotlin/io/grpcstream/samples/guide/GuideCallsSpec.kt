package io.grpcstream.samples.guide

import io.grpc.BindableService
import io.grpc.Context
import io.grpc.Status
import io.grpc.Status.Code
import io.grpc.stub.StreamObserver
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.libp2p.HostObserver
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asExecutor
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.util.concurrent.CompletableFuture
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private const val MIB = 1024 * 1024

class GuideCallsSpec :
    StringSpec({
        timeout = 120_000

        "calls within their deadline succeed, in Kotlin and in Java" {
            guidePeers {
                val caller = calling()
                val server = serving(grpcStream { service(Greeter()) })
                greetTwo(caller.greeterAt(server)).map { it.message } shouldBe
                    listOf("Hello, Ada!", "Hello, Grace!")
                val greeter = GreeterGrpc.newBlockingStub(caller.channel(server.target))
                blocking { Calls.greet(greeter, hello("Ada")) }.message shouldBe "Hello, Ada!"
            }
        }

        "a deadline ends the call, the service, and the call that the service makes" {
            guidePeers {
                val last = Hanging()
                val middle = peer { }
                val hanging = serving(grpcStream { service(last) })
                val forwarding =
                    serving(grpcStream { service(ForwardingGreeter(middle.greeterAt(hanging))) })
                val greeter = calling().greeterAt(forwarding)
                eventually(60.seconds) {
                    val status = statusOf { greetTwo(greeter, within = 300.milliseconds) }
                    status.code shouldBe Code.DEADLINE_EXCEEDED
                    last.called.isCompleted shouldBe true // else it passed on the way there
                }
                last.cancelled.await()
            }
        }

        "a call that is given up cancels the service, in Kotlin and in Java" {
            guidePeers {
                val caller = calling()
                for (inJava in listOf(false, true)) {
                    val service = Hanging()
                    val server = serving(grpcStream { service(service) })
                    val channel = caller.channel(server.target)
                    val first =
                        if (inJava) {
                            blocking { Calls.firstGreeting(channel, hello("Ada")) }
                        } else {
                            firstGreeting(caller.greeterAt(server))
                        }
                    first.message shouldBe "first"
                    service.cancelled.await()
                }
                val service = Hanging()
                val channel = caller.channel(serving(grpcStream { service(service) }).target)
                val call = GreeterGrpc.newFutureStub(channel).sayHello(hello("Ada"))
                service.called.await()
                Calls.giveUp(call)
                service.cancelled.await()
            }
        }

        "work in a scope of its own, or in the root context, outlives the call that asked" {
            guidePeers {
                val other = calling().greeterAt(serving(grpcStream { service(Greeter()) }))
                coroutineScope {
                    val answered = CompletableDeferred<Unit>()
                    val said = List(2) { CompletableDeferred<String>() }
                    val later: suspend (Int) -> Unit = {
                        answered.await() // The call is over, and its context cancelled.
                        said[it].complete(other.sayHello(hello("Ada")).message)
                    }
                    val inKotlin =
                        object : GreeterCoroutineImplBase() {
                            override suspend fun sayHello(request: HelloRequest): HelloReply {
                                this@coroutineScope.launch { later(0) }
                                return HelloReply.getDefaultInstance()
                            }
                        }
                    val inJava =
                        object : GreeterGrpc.GreeterImplBase() {
                            override fun sayHello(
                                request: HelloRequest,
                                replies: StreamObserver<HelloReply>,
                            ) {
                                Dispatchers.IO.asExecutor().execute(
                                    Context.ROOT.wrap { runBlocking { later(1) } },
                                )
                                replies.onNext(HelloReply.getDefaultInstance())
                                replies.onCompleted()
                            }
                        }
                    for (service in listOf<BindableService>(inKotlin, inJava)) {
                        val server = serving(grpcStream { service(service) })
                        calling().greeterAt(server).sayHello(hello("Ada"))
                    }
                    answered.complete(Unit)
                    said.forEach { it.await() shouldBe "Hello, Ada!" }
                }
            }
        }

        "a service in Java asks whether it is cancelled" {
            guidePeers {
                val server = serving(grpcStream { service(Calls.DiligentGreeter()) })
                val message = calling().greeterAt(server).sayHello(hello("Ada")).message
                message.length shouldBe "Hello".length + 1_000_000
            }
        }

        "a call that waits for the peer succeeds once it is there, in Kotlin and in Java" {
            guidePeers {
                val key = PrivateKey.generateEd25519()
                val caller = calling()
                val id = PeerId.of(key.publicKey())
                val channel = caller.channel("libp2p:/p2p/$id")
                val greeter = GreeterGrpc.newBlockingStub(channel)
                statusOf { blocking { Calls.greet(greeter, hello("Ada")) } }.code shouldBe
                    Code.UNAVAILABLE
                coroutineScope {
                    val inKotlin =
                        async(start = CoroutineStart.UNDISPATCHED) {
                            greetOnceThere(GreeterCoroutineStub(channel))
                        }
                    val inJava = async { blocking { Calls.greetOnceThere(greeter, hello("Ada")) } }
                    val server =
                        peer {
                            identity(key)
                            serve { service(Greeter()) }
                        }
                    caller.host().addAddress(id, server.addresses().first())
                    inKotlin.await().message shouldBe "Hello, Ada!"
                    inJava.await().message shouldBe "Hello, Ada!"
                }
            }
        }

        "messages are as large as the receiver allows, in Kotlin and in Java" {
            guidePeers {
                val large = hello("x".repeat(5 * MIB))
                val ordinary = serving(grpcStream { service(Greeter()) })
                statusOf { calling().greeterAt(ordinary).sayHello(large) }.code shouldBe
                    Code.RESOURCE_EXHAUSTED
                val inKotlin = start(peerOfLargeMessages(Greeter()))
                val inJava = start(Calls.peerOfLargeMessages(Services.Greeter()))
                for ((caller, server) in listOf(inKotlin to inJava, inJava to inKotlin)) {
                    caller
                        .greeterAt(server)
                        .sayHello(large)
                        .message.length shouldBe
                        large.name.length + 8
                }
            }
        }

        "what is compressed is short on the wire, in both directions, in Kotlin and in Java" {
            guidePeers {
                val long = hello("x".repeat(MIB))
                val caller = start(counted())
                for (server in listOf(
                    compressingGreeter(),
                    javaGreeter(Calls.CompressingGreeter()),
                )) {
                    val other = serving(server)
                    val greeter = caller.greeterAt(other)
                    greeter.sayHello(hello("Ada"))
                    val before = caller.host().stats()
                    greeter.sayHello(long)
                    val plain = caller.host().stats()
                    greetCompressed(greeter, long)
                    val blockingGreeter = GreeterGrpc.newBlockingStub(caller.channel(other.target))
                    blocking { Calls.greetCompressed(blockingGreeter, long) }
                    val after = caller.host().stats()
                    plain.bytesSent() - before.bytesSent() shouldBeInRange MIB.toLong()..2L * MIB
                    after.bytesSent() - plain.bytesSent() shouldBeLessThan MIB / 4L
                    after.bytesReceived() - before.bytesReceived() shouldBeLessThan MIB / 4L
                }
            }
        }

        "a server that knows no gzip refuses it" {
            guidePeers {
                val greeter = calling().greeterAt(serving(greeterThatTakesNoGzip()))
                greeter.sayHello(hello("Ada")).message shouldBe "Hello, Ada!"
                statusOf { greetCompressed(greeter, hello("Ada")) }.code shouldBe Code.UNIMPLEMENTED
            }
        }

        "a blocking stub on an event loop fails at once" {
            guidePeers {
                val caller = calling()
                val server = serving(grpcStream { service(Greeter()) })
                val greeter = GreeterGrpc.newBlockingStub(caller.channel(server.target))
                val failure = CompletableFuture<Throwable>()
                caller
                    .host()
                    .connect(server.addresses().first())
                    .thenCompose { caller.host().ping(server.peerId()) }
                    .thenRun { greeter.sayHello(hello("Ada")) }
                    .whenComplete { _, e -> failure.complete(e) }
                val e = blocking { failure.get() }
                Status.fromThrowable(e).code shouldBe Code.FAILED_PRECONDITION
                "$e" shouldContain "event loop"
            }
        }
    })

private fun counted(): GrpcPeer =
    grpcPeer {
        host {
            threads(1)
            observer(object : HostObserver {})
        }
    }

private fun javaGreeter(service: GreeterGrpc.GreeterImplBase) =
    GrpcStream.create().registerService(service)

/** Answers nothing, or one message of many, and tells that it was cancelled. */
private class Hanging : GreeterCoroutineImplBase() {
    val called = CompletableDeferred<Unit>()
    val cancelled = CompletableDeferred<Unit>()

    override suspend fun sayHello(request: HelloRequest): HelloReply = hang()

    override fun sayHelloStream(request: HelloRequest): Flow<HelloReply> =
        flow {
            emit(HelloReply.newBuilder().setMessage("first").build())
            hang()
        }

    private suspend fun hang(): Nothing {
        called.complete(Unit)
        try {
            awaitCancellation()
        } finally {
            cancelled.complete(Unit)
        }
    }
}
