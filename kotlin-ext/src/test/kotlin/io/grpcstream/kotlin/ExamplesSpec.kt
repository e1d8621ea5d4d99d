package io.grpcstream.kotlin

import com.google.rpc.BadRequest
import com.google.rpc.BadRequest.FieldViolation
import io.grpc.Metadata
import io.grpc.Status
import io.grpc.Status.Code
import io.grpc.StatusException
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloRequest
import io.grpcstream.libp2p.Host
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.onStart
import kotlinx.coroutines.flow.reduce
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.withContext
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.time.Duration.Companion.seconds

private val SERVER_VERSION = Metadata.Key.of("server-version", Metadata.ASCII_STRING_MARSHALLER)

private class UnknownName : Exception("a text that no peer gets to see")

private val TASK = Metadata.Key.of("task", Metadata.ASCII_STRING_MARSHALLER)

object TaskPropagator : ContextPropagator {
    override fun inject(
        context: CoroutineContext,
        headers: Metadata,
    ) {
        context[CoroutineName]?.let { headers.put(TASK, it.name) }
    }

    override fun extract(headers: Metadata): CoroutineContext =
        headers[TASK]?.let(::CoroutineName) ?: EmptyCoroutineContext
}

/** The examples in KDoc, as [KDocExamplesSpec] finds them here. */
class ExamplesSpec :
    StringSpec({
        class Greeter : GreeterCoroutineImplBase() {
            override suspend fun sayHello(request: HelloRequest): HelloReply {
                if (request.name.isEmpty()) throw UnknownName()
                return greet(request)
            }
        }

        val greeter =
            grpcService("greeter.Greeter") {
                unary(GreeterGrpc.getSayHelloMethod()) { request -> greet(request) }
                bidiStreaming(GreeterGrpc.getChatMethod()) { requests -> requests.map(::greet) }
            }

        "calls without stubs" {
            callingService(greeter) { channel ->
                val request = helloRequest { name = "Ada" }
                val reply = channel.unary(GreeterGrpc.getSayHelloMethod(), request)
                reply.message shouldBe "Hello, Ada!"

                val requests = flowOf("Ada", "Grace").map { helloRequest { name = it } }
                val replies = channel.bidiStreaming(GreeterGrpc.getChatMethod(), requests)
                replies.map { it.message }.toList() shouldContainExactly
                    listOf("Hello, Ada!", "Hello, Grace!")

                val stub = GreeterCoroutineStub(channel)
                val again =
                    withDeadline(20.seconds) { stub.withCallerContext().sayHello(request) }
                again shouldBe reply
            }
        }

        "calls with a deadline" {
            callingService(greeter) { channel ->
                val request = helloRequest { name = "Ada" }
                val reply =
                    withDeadline(20.seconds) {
                        channel.unary(GreeterGrpc.getSayHelloMethod(), request)
                    }
                reply.message shouldBe "Hello, Ada!"
            }
        }

        "a call's response headers" {
            val versioned =
                grpcService("greeter.Greeter") {
                    unary(GreeterGrpc.getSayHelloMethod()) { request ->
                        currentCall().responseHeaders.put(SERVER_VERSION, "1.0")
                        greet(request)
                    }
                }
            callingService(versioned) { channel ->
                val method = GreeterGrpc.getSayHelloMethod()
                val request = helloRequest { name = "Ada" }
                val metadata = ResponseMetadata()
                val reply = channel.withInterceptors(metadata).unary(method, request)
                metadata.headers()[SERVER_VERSION] shouldBe "1.0"
                reply.message shouldBe "Hello, Ada!"
            }
        }

        "a GrpcStream and its failures" {
            twoHosts { dialer, host ->
                val grpc =
                    grpcStream {
                        service(Greeter())
                        mapFailure { if (it is UnknownName) Status.NOT_FOUND else null }
                    }
                host.handle("/greeter/1.0.0", grpc.serve().handler())
                val address = host.listenAddresses().first()
                dialer.grpcChannel(address, "/greeter/1.0.0").use { channel ->
                    codeOf { channel.greet("") } shouldBe Code.NOT_FOUND
                }
                grpc.shutdownAndAwait(0.seconds)
            }
        }

        "a peer that serves and calls, and a channel to two peers" {
            val file = tempdir().toPath().resolve("peer.key")
            withGrpcPeer({
                listen("/memory/0")
                serve("/greeter/1.0.0") { service(Greeter()) }
            }) { served ->
                val other = served.addresses().first()
                val message =
                    withGrpcPeer({
                        listen("/ip4/0.0.0.0/tcp/0")
                        identity(file)
                        serve("/greeter/1.0.0") { service(Greeter()) }
                    }) { peer ->
                        val channel = peer.channel("libp2p:$other?protocol=/greeter/1.0.0")
                        val greeter = GreeterCoroutineStub(channel)
                        greeter.sayHello(helloRequest { name = "Ada" }).message
                    }
                message shouldBe "Hello, Ada!"

                withGrpcPeer({ }) { caller ->
                    val host = caller.host()
                    val first = other
                    val second = "/p2p/" + served.peerId()
                    val channel =
                        host.peerChannel("libp2p:$first,$second?protocol=/greeter/1.0.0") {
                            defaultLoadBalancingPolicy("round_robin")
                        }
                    val greeter = GreeterCoroutineStub(channel)
                    greeter.sayHello(helloRequest { name = "Ada" }).message shouldBe "Hello, Ada!"
                }
            }
        }

        "a service within a GrpcStream" {
            val grpc =
                grpcStream {
                    service("greeter.Greeter") {
                        unary(GreeterGrpc.getSayHelloMethod()) { request -> greet(request) }
                        // health() does not compile here: it is for the GrpcStream
                    }
                    health()
                }
            grpc.grpcServer().services.map { it.serviceDescriptor.name } shouldContainAll
                listOf("greeter.Greeter", "grpc.health.v1.Health")
            grpc.shutdownAndAwait(0.seconds)
        }

        "error details" {
            val refusing =
                GreetingService {
                    val violation = FieldViolation.newBuilder().setField("name")
                    val details = BadRequest.newBuilder().addFieldViolations(violation).build()
                    throw statusException(Code.INVALID_ARGUMENT, "no name", details)
                }
            callingService(refusing.bindService()) { channel ->
                var missing: BadRequest? = null
                try {
                    channel.greet("")
                } catch (e: StatusException) {
                    missing = e.richStatus()?.detail<BadRequest>()
                }
                missing?.fieldViolationsList?.map { it.field } shouldBe listOf("name")
            }
        }

        "coroutine context that travels" {
            var task: String? = null
            val service = GreetingService { task = currentCoroutineContext()[CoroutineName]?.name }
            calling({
                service(service)
                propagate(TaskPropagator)
            }) { channel ->
                val method = GreeterGrpc.getSayHelloMethod()
                val request = helloRequest { name = "Ada" }
                val tasks = channel.withInterceptors(TaskPropagator.asClientInterceptor())
                withContext(CoroutineName("greeting")) { tasks.unary(method, request) }
                task shouldBe "greeting"
            }
        }

        "a protocol beside gRPC" {
            twoHosts { dialer, host ->
                coroutineScope {
                    val scope = this
                    host.handle("/echo/1.0.0", scope) { stream ->
                        stream.writeAll(stream.consumeBytes())
                    }
                    val address = host.listenAddresses().first()
                    val stream = dialer.open(address, "/echo/1.0.0")
                    stream.write("Hello".encodeToByteArray())
                    stream.closeWrite()
                    val echo = stream.consumeBytes().reduce { all, piece -> all + piece }
                    echo.decodeToString() shouldBe "Hello"
                    stream.awaitClosed()
                }
            }
        }

        "a channel with options" {
            accepting(
                GrpcStream.create().registerService(GreetingService()).serve(),
            ) { _, dialer, host ->
                val stream = dialer.open(host.listenAddresses().first(), PROTOCOL)
                val channel = stream.grpcChannel { maxInboundMessageSize(16 * 1024 * 1024) }
                channel.use { it.greet("Ada") } shouldBe "Hello, Ada!"
            }
        }

        "serving as a part of a scope" {
            twoHosts { dialer, host ->
                val grpc = GrpcStream.create().registerService(GreetingService())
                coroutineScope {
                    val serving = grpc.serveIn(this)
                    host.handle("/greeter/1.0.0", grpc.handler())
                    dialer.greetFrom(host) shouldBe "Hello, Ada!"
                    serving.cancelAndJoin()
                }
                grpc.awaitTermination()
            }
        }

        "one coroutine a connection" {
            collecting({ grpc, _ ->
                grpc.connections().collect { launch { it.serveAndAwait() } }
            }) { dialer, listener -> dialer.greetFrom(listener) shouldBe "Hello, Ada!" }
        }

        "admission by peer id" {
            val stranger = Host.builder().build().startAndAwait()
            collecting({ grpc, friend ->
                val friends = setOf(friend.peerId())
                grpc
                    .connections()
                    .filter { connection ->
                        val admitted = connection.remotePeer() in friends
                        if (!admitted) connection.refuse()
                        admitted
                    }.collect { it.serve() }
            }) { dialer, listener ->
                codeOf { stranger.greetFrom(listener) } shouldBe Code.UNAVAILABLE
                dialer.greetFrom(listener) shouldBe "Hello, Ada!"
            }
            stranger.shutdownAndAwait(0.seconds)
        }

        "a cap on connections" {
            collecting({ grpc, _ ->
                val seats = Semaphore(100)
                grpc.connections().onStart { seats.acquire() }.collect { connection ->
                    launch { connection.serveAndAwait() }.invokeOnCompletion { seats.release() }
                    seats.acquire()
                }
            }) { dialer, listener -> dialer.greetFrom(listener) shouldBe "Hello, Ada!" }
        }
    })

private suspend fun codeOf(call: suspend () -> Any?): Code? =
    try {
        call()
        null
    } catch (e: StatusException) {
        e.status.code
    }

private suspend fun Host.greetFrom(server: Host): String =
    grpcChannel(server.listenAddresses().first(), PROTOCOL).use { it.greet("Ada") }

/** Runs [test] while [collect] deals with the connections. */
private suspend fun collecting(
    collect: suspend CoroutineScope.(grpc: GrpcStream, dialer: Host) -> Unit,
    test: suspend (dialer: Host, listener: Host) -> Unit,
) = accepting { grpc, dialer, listener ->
    coroutineScope {
        val collector = launch(start = CoroutineStart.UNDISPATCHED) { collect(grpc, dialer) }
        test(dialer, listener)
        collector.cancelAndJoin()
    }
}
