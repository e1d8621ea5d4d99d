package io.grpcstream.samples.peercurl.doors

import io.grpc.Metadata
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.interop.Payload
import io.grpcstream.interop.downloadRequest
import io.grpcstream.interop.stopRequest
import io.grpcstream.kotest.Peer
import io.grpcstream.kotest.withPeers
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.Stream
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import io.netty.buffer.Unpooled
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInboundHandlerAdapter
import io.netty.channel.ChannelOption
import io.netty.channel.socket.ChannelInputShutdownEvent
import io.netty.channel.socket.DuplexChannel
import io.netty.util.ReferenceCountUtil
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.consumeAsFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.produceIn
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import java.net.InetSocketAddress
import java.net.Socket
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import java.time.Duration as JavaDuration

class ForwardSpec :
    StringSpec({
        timeout = 120_000
        coroutineTestScope = false

        "four kinds of call, headers and trailers pass a door, and their statuses; it shows them" {
            forwarding(showCalls = true) {
                Plain(address).use { client ->
                    client.stub.stop(stopRequest { })
                    val three =
                        downloadRequest {
                            count = 3
                            size = 5
                        }
                    client.stub
                        .download(three)
                        .toList()
                        .map { it.data.size() } shouldBe listOf(5, 5, 5)
                    service.readOn.complete(Unit)
                    client.stub.upload(flowOf(bytes(3), bytes(4))).bytes shouldBe 7
                    val requests = Channel<Payload>(1)
                    val headers = Metadata().apply { put(HeaderKeeper.X_ECHO, "hej") }
                    val replies =
                        client.stub
                            .echo(
                                requests.consumeAsFlow(),
                                headers,
                            ).produceIn(scope)
                    repeat(3) {
                        requests.send(bytes(it))
                        replies.receive() shouldBe bytes(it)
                    }
                    requests.close()
                    replies.receiveCatching().isClosed shouldBe true
                    keeper.seen.count { it.get(HeaderKeeper.X_ECHO) == "hej" } shouldBe 1

                    val failing = failing(Status.Code.ABORTED, "100 % größer")
                    val failure =
                        runCatching {
                            client.stub
                                .fail(
                                    failing,
                                    headers,
                                ).toList()
                        }.exceptionOrNull()
                    val status = (failure as StatusException).status
                    status.code shouldBe Status.Code.ABORTED
                    status.description shouldBe "100 % größer"
                    failure.trailers?.get(HeaderKeeper.X_ECHO) shouldBe "hej"
                }
                eventually { events.of<DoorEvent.Closed>().size == 1 }
                val calls = events.of<DoorEvent.Called>().map { it.call }
                calls.map { it.method } shouldBe
                    listOf(
                        "Stop",
                        "Download",
                        "Upload",
                        "Echo",
                        "Fail",
                    ).map { "interop.Interop/$it" }
                calls.map { it.status.code } shouldBe
                    List(4) { Status.Code.OK } + Status.Code.ABORTED
                calls.last().status.description shouldBe "100 % größer"
                events.of<DoorEvent.Warned>().shouldBeEmpty()
            }
        }

        "messages of 8 MiB, deadlines and cancellation pass" {
            forwarding(showCalls = true) {
                Plain(address).use { client ->
                    val large = bytes(LARGE)
                    client.stub.echo(flowOf(large, large)).toList() shouldBe listOf(large, large)

                    val hold = downloadRequest { hold = true }
                    val late =
                        statusOf {
                            client.stub
                                .withDeadlineAfter(200, TimeUnit.MILLISECONDS)
                                .download(hold)
                                .toList()
                        }
                    late.code shouldBe Status.Code.DEADLINE_EXCEEDED
                    val before = service.hangs.get() // None, if the deadline came first.
                    val hanging = scope.launch { client.stub.download(hold).toList() }
                    eventually { service.hangs.get() == before + 1 }
                    hanging.cancelAndJoin()
                    eventually { service.cancelled.get() == before + 1 }
                }
                eventually { events.of<DoorEvent.Called>().size == 3 }
            }
        }

        "who reads slowly stops the sender on the other side, in both directions" {
            forwarding {
                Plain(address).use { client ->
                    val (first, goOn) = List(2) { Channel<Unit>() }
                    val reading =
                        scope.async {
                            var read = 0
                            client.stub.download(MANY).collect {
                                if (read++ == 0) {
                                    first.send(Unit)
                                    goOn.receive()
                                }
                            }
                            read
                        }
                    first.receive()
                    standstill(service.sent::get) shouldBeLessThan MANY.count / 2
                    goOn.send(Unit)
                    reading.await() shouldBe MANY.count

                    var handed = 0
                    val requests =
                        flow {
                            repeat(MANY.count) {
                                emit(bytes(CHUNK))
                                handed++
                            }
                        }
                    val uploading = scope.async { client.stub.upload(requests) }
                    standstill { handed } shouldBeLessThan MANY.count / 2
                    service.readOn.complete(Unit)
                    uploading.await().count shouldBe MANY.count
                }
            }
        }

        "connections have streams of their own, as many as the door allows, and no more" {
            forwarding(maxConnections = 8) {
                val clients = List(8) { Plain(address) }
                try {
                    clients
                        .mapIndexed { i, client -> scope.async { client.stub.echoes("$i") } }
                        .awaitAll() shouldBe List(8) { "$it" }
                    streams().size shouldBe 8
                    Plain(address).use { ninth ->
                        val status = statusOf { ninth.stub.echoes("nine") }
                        status.code shouldBe Status.Code.RESOURCE_EXHAUSTED
                        status.description shouldBe
                            "there are 8 connections in this door, its limit"
                    }
                } finally {
                    clients.forEach { it.close() }
                }
                eventually { streams().isEmpty() }
            }
        }

        "a caller that is killed resets its stream" {
            forwarding {
                val socket = Socket(address.address, address.port)
                socket.getOutputStream().write(Http2.PREFACE + SETTINGS)
                socket.getInputStream().read() shouldBe 0 // The server's settings.
                eventually { streams().size == 1 }
                socket.setSoLinger(true, 0)
                socket.close()
                eventually { events.of<DoorEvent.Closed>().size == 1 }
                eventually { streams().isEmpty() }
            }
        }

        "a peer that is lost ends the calls with words, and is reached again once it is back" {
            withLoops { loops ->
                withPeers(1, { host { eventLoopGroup(loops) } }) { (caller) ->
                    val address = "/memory/${System.nanoTime() ushr 1}"
                    val key = PrivateKey.generateEd25519()
                    val service = TestService()
                    var peer = peerAt(address, key, service)
                    val peerId = peer.peerId()
                    val whole = Multiaddr.parse(address).withPeerId(peerId)
                    val door =
                        ForwardDoor(loops, "peer $peerId") {
                            caller.host.newStream(whole, GrpcStream.PROTOCOL)
                        }
                    try {
                        Plain(door.start(LOCALHOST)).use { client ->
                            client.stub.echoes("here") shouldBe "here"
                            val call =
                                async {
                                    statusOf {
                                        client.stub
                                            .download(
                                                downloadRequest {
                                                    hold =
                                                        true
                                                },
                                            ).toList()
                                    }
                                }
                            eventually { service.hangs.get() == 1 }
                            peer.shutdown(JavaDuration.ZERO).toCompletableFuture().join()
                            call.await().code shouldBe Status.Code.UNAVAILABLE

                            val gone = statusOf { client.stub.echoes("gone") }
                            gone.code shouldBe Status.Code.UNAVAILABLE
                            gone.description shouldContain peerId.toString()
                            gone.description shouldContain address

                            peer = peerAt(address, key, service)
                            client.stub.echoes("back") shouldBe "back"
                        }
                    } finally {
                        door.shutdown(Duration.ZERO)
                        peer.close()
                    }
                }
            }
        }

        "a peer that does not speak the protocol is UNAVAILABLE, by name" {
            forwarding(protocol = "/other/1.0.0") {
                Plain(address).use { client ->
                    val status = statusOf { client.stub.echoes("hello") }
                    status.code shouldBe Status.Code.UNAVAILABLE
                    status.description shouldContain "/other/1.0.0"
                }
            }
        }

        "a stream that is reset is told by a GOAWAY, also while a call is under way" {
            forwarding {
                Plain(address).use { client ->
                    val call =
                        scope.async {
                            statusOf {
                                client.stub
                                    .download(
                                        downloadRequest {
                                            hold =
                                                true
                                        },
                                    ).toList()
                            }
                        }
                    eventually { service.hangs.get() == 1 }
                    streams().forEach { it.reset() }
                    val status = call.await()
                    status.code shouldBe Status.Code.UNAVAILABLE
                    status.description shouldContain "the peer is lost"
                    status.description shouldContain "reset by the other side"
                    client.stub.echoes("again") shouldBe "again"
                }
            }
        }

        "each side's end passes by itself" {
            withLoops { loops ->
                withPeers(configure = { host { eventLoopGroup(loops) } }) { (caller, server) ->
                    server.host.handle("/raw/1.0.0", ::answerAtTheEnd)
                    val door =
                        ForwardDoor(
                            loops,
                            "the peer",
                        ) { caller.host.newStream(server.address, "/raw/1.0.0") }
                    val address = door.start(LOCALHOST)
                    Socket(address.address, address.port).use { socket ->
                        socket.getOutputStream().write(Http2.PREFACE + SETTINGS)
                        socket.shutdownOutput()
                        // The other side answers once it has seen the end.
                        socket.getInputStream().readAllBytes() shouldBe SETTINGS
                    }
                    door.shutdown(1.seconds)
                }
            }
        }

        "what is not HTTP/2 is told so and does not reach the peer" {
            forwarding {
                Socket(address.address, address.port).use { socket ->
                    socket.getOutputStream().write(
                        "GET / HTTP/1.1\r\nHost: x\r\n\r\n".toByteArray(),
                    )
                    val answer = socket.getInputStream().readAllBytes().decodeToString()
                    answer shouldStartWith "HTTP/1.1 505 "
                    answer shouldContain "HTTP/2 with prior knowledge"
                }
                Socket(address.address, address.port).use { socket ->
                    socket.getOutputStream().write(byteArrayOf(22, 3, 1, 0, 100, 1, 0, 0, 96))
                    runCatching { socket.getInputStream().read() }.getOrDefault(-1) shouldBe -1
                }
                eventually { events.of<DoorEvent.Warned>().size == 2 }
                events.of<DoorEvent.Warned>().last().text shouldContain "-plaintext"
                eventually { streams().isEmpty() }
            }
        }

        "a door that closes lets calls end, and cuts those that do not" {
            forwarding {
                Plain(address).use { client ->
                    val requests = Channel<Payload>(1)
                    val replies = client.stub.echo(requests.consumeAsFlow()).produceIn(scope)
                    requests.send(bytes(1))
                    replies.receive()
                    val closing = scope.launch { door.shutdown(PATIENCE) }
                    eventually { runCatching { client.stub.echoes("new") }.isFailure }
                    requests.send(bytes(2))
                    replies.receive() shouldBe bytes(2)
                    requests.close()
                    replies.receiveCatching().isClosed shouldBe true
                    withTimeoutOrNull(PATIENCE / 2) { closing.join() } shouldBe Unit
                }
            }
            forwarding {
                Plain(address).use { client ->
                    val call =
                        scope.async {
                            statusOf {
                                client.stub
                                    .download(
                                        downloadRequest {
                                            hold =
                                                true
                                        },
                                    ).toList()
                            }
                        }
                    eventually { service.hangs.get() == 1 }
                    door.shutdown(50.milliseconds)
                    val status = call.await()
                    status.code shouldBe Status.Code.UNAVAILABLE
                    status.description shouldContain "this door to a peer is being closed"
                }
            }
        }
    })

private class Forwarding(
    val scope: CoroutineScope,
    val server: Peer,
    val service: TestService,
    val keeper: HeaderKeeper,
    val events: Events,
    val door: ForwardDoor,
    val address: InetSocketAddress,
) {
    /** Those that the peer serves. */
    fun streams(): List<Stream> =
        server.host
            .connections()
            .flatMap { it.streams() }
            .filter { it.protocol() == GrpcStream.PROTOCOL }
}

/** A peer that serves, and one with a door to it; all of it is gone afterwards. */
private suspend fun forwarding(
    showCalls: Boolean = false,
    maxConnections: Int = 128,
    protocol: String = GrpcStream.PROTOCOL,
    test: suspend Forwarding.() -> Unit,
) = withLoops { loops ->
    val service = TestService()
    val keeper = HeaderKeeper()
    withPeers(
        configure = {
            host { eventLoopGroup(loops) }
            grpc {
                grpcStream {
                    service(service)
                    intercept(keeper)
                    configure { configureServer { it.maxInboundMessageSize(2 * LARGE) } }
                }
            }
        },
    ) { (caller, server) ->
        val events = Events()
        val door =
            ForwardDoor(loops, "the peer", maxConnections, showCalls, events) {
                caller.host.newStream(server.address, protocol)
            }
        try {
            val address = door.start(LOCALHOST)
            Forwarding(this, server, service, keeper, events, door, address).test()
        } finally {
            door.shutdown(1.seconds)
        }
    }
}

private fun peerAt(
    address: String,
    key: PrivateKey,
    service: TestService,
): GrpcPeer =
    GrpcPeer
        .builder()
        .identity(key)
        .listen(address)
        .configureHost { it.threads(1) }
        .serve(grpcStream { service(service) })
        .build()
        .also { it.start().toCompletableFuture().join() }

/** Sends SETTINGS once the other side has ended, and ends, too. */
private fun answerAtTheEnd(stream: Stream) {
    stream.channel().config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
    stream.channel().pipeline().addLast(
        object : ChannelInboundHandlerAdapter() {
            override fun channelRead(
                context: ChannelHandlerContext,
                message: Any,
            ) {
                ReferenceCountUtil.release(message)
            }

            override fun userEventTriggered(
                context: ChannelHandlerContext,
                event: Any,
            ) {
                if (event === ChannelInputShutdownEvent.INSTANCE) {
                    context.writeAndFlush(Unpooled.copiedBuffer(SETTINGS)).addListener {
                        (context.channel() as DuplexChannel).shutdownOutput()
                    }
                }
            }
        },
    )
}
