package io.grpcstream.samples.peercurl.doors

import io.grpc.Metadata
import io.grpc.Server
import io.grpc.ServerInterceptors
import io.grpc.Status
import io.grpc.netty.NettyServerBuilder
import io.grpcstream.GrpcStream
import io.grpcstream.PeerAuthorizer
import io.grpcstream.interop.InteropGrpcKt.InteropCoroutineStub
import io.grpcstream.interop.Payload
import io.grpcstream.interop.downloadRequest
import io.grpcstream.interop.stopRequest
import io.grpcstream.kotest.Peer
import io.grpcstream.kotest.withPeers
import io.grpcstream.kotlin.peerChannel
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.netty.channel.EventLoopGroup
import io.netty.handler.codec.http2.Http2Error
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.consumeAsFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.produceIn
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import java.io.BufferedOutputStream
import java.io.DataInputStream
import java.io.OutputStream
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.nio.ByteBuffer
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

private val PEER_ID = Metadata.Key.of(PeerIdHeader.NAME, Metadata.ASCII_STRING_MARSHALLER)

class ExposeSpec :
    StringSpec({
        timeout = 120_000
        coroutineTestScope = false

        "a server of TCP is called by peers, all four kinds, and sees who calls" {
            exposing(showCalls = true) {
                val stub = stub()
                stub.stop(stopRequest { })
                stub
                    .download(
                        downloadRequest {
                            count = 3
                            size = 5
                        },
                    ).toList()
                    .size shouldBe 3
                target.service.readOn.complete(Unit)
                stub.upload(flowOf(bytes(3), bytes(4))).bytes shouldBe 7
                val requests = Channel<Payload>(1)
                val headers = Metadata().apply { put(HeaderKeeper.X_ECHO, "hej") }
                val replies = stub.echo(requests.consumeAsFlow(), headers).produceIn(scope)
                repeat(3) {
                    requests.send(bytes(it))
                    replies.receive() shouldBe bytes(it)
                }
                requests.close()
                replies.receiveCatching().isClosed shouldBe true
                val large = bytes(LARGE)
                stub.echo(flowOf(large, large)).toList() shouldBe listOf(large, large)
                statusOf {
                    stub
                        .fail(
                            failing(Status.Code.ABORTED, "100 % größer"),
                        ).toList()
                }.description shouldBe
                    "100 % größer"

                val seen = target.keeper.seen.toList()
                seen.map { it.getAll(PEER_ID)?.single() }.distinct() shouldContainExactly
                    listOf(caller.peerId.toString())
                seen.count { it.get(HeaderKeeper.X_ECHO) == "hej" } shouldBe 1
                eventually { events.of<DoorEvent.Called>().size == 6 }
                events
                    .of<DoorEvent.Called>()
                    .last()
                    .call.status.description shouldBe "100 % größer"
            }
        }

        "a peer id that a caller forges is not seen, however it is spelled or often it is said" {
            exposing {
                val forged =
                    Metadata().apply {
                        for (name in listOf(
                            "x-libp2p-peer-id",
                            "X-LIBP2P-Peer-Id",
                            "x_libp2p_peer_id",
                        )) {
                            put(
                                Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER),
                                "12D3KooWForged",
                            )
                            put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), "another")
                        }
                        put(
                            Metadata.Key.of("x-libp2p-peer-ids", Metadata.ASCII_STRING_MARSHALLER),
                            "mine",
                        )
                    }
                stub().echo(flowOf(bytes(1)), forged).toList()
                val seen = target.keeper.seen.single()
                seen.getAll(PEER_ID)?.toList() shouldBe listOf(caller.peerId.toString())
                seen.keys().filter { "peer" in it }.toSet() shouldBe
                    setOf("x-libp2p-peer-ids", PeerIdHeader.NAME)
            }
        }

        "deadlines and cancellation reach the server" {
            exposing {
                val hold = downloadRequest { hold = true }
                val late =
                    statusOf {
                        stub()
                            .withDeadlineAfter(
                                200,
                                TimeUnit.MILLISECONDS,
                            ).download(hold)
                            .toList()
                    }
                late.code shouldBe Status.Code.DEADLINE_EXCEEDED
                val hanging = scope.launch { stub().download(hold).toList() }
                eventually { target.service.hangs.get() == 2 }
                hanging.cancelAndJoin()
                eventually { target.service.cancelled.get() == 2 }
            }
        }

        "a slow server stops its caller, and a slow caller the server" {
            exposing {
                var handed = 0
                val uploading =
                    scope.async {
                        stub().upload(
                            flow {
                                repeat(MANY.count) {
                                    emit(bytes(CHUNK))
                                    handed++
                                }
                            },
                        )
                    }
                standstill { handed } shouldBeLessThan MANY.count / 2
                target.service.readOn.complete(Unit)
                uploading.await().count shouldBe MANY.count

                val first = Channel<Unit>()
                val goOn = Channel<Unit>()
                val reading =
                    scope.async {
                        var read = 0
                        stub()
                            .download(MANY)
                            .collect {
                                if (read++ == 0) {
                                    first.send(Unit)
                                    goOn.receive()
                                }
                            }
                        read
                    }
                first.receive()
                standstill(target.service.sent::get) shouldBeLessThan MANY.count / 2
                goOn.send(Unit)
                reading.await() shouldBe MANY.count
            }
        }

        "a peer that is not allowed is told so, and no server hears of it" {
            exposing(authorizer = { _, _ -> false }) {
                val status = statusOf { stub().echoes("hello") }
                status.code shouldBe Status.Code.PERMISSION_DENIED
                status.description shouldBe
                    "peer ${caller.peerId} is not allowed to use ${GrpcStream.PROTOCOL}"
                events
                    .of<DoorEvent.Refused>()
                    .first()
                    .status.code shouldBe Status.Code.PERMISSION_DENIED
                server.host
                    .stats()
                    .refusals()
                    .values
                    .sum() shouldBeGreaterThan 0L
                target.keeper.seen.size shouldBe 0
            }
        }

        "a server that is down, or dies, is UNAVAILABLE by name, and found again once it is back" {
            exposing {
                stub().echoes("here") shouldBe "here"
                val call =
                    scope.async {
                        statusOf {
                            stub()
                                .download(
                                    downloadRequest { hold = true },
                                ).toList()
                        }
                    }
                eventually { target.service.hangs.get() == 1 }
                target.kill()
                call.await().isOk shouldBe false // What it says by itself is passed on.

                val down = statusOf { stub().echoes("down") }
                down.code shouldBe Status.Code.UNAVAILABLE
                down.description shouldContain
                    "behind this peer, 127.0.0.1:${target.port}, is not reached"
                down.description shouldContain "refused"

                target.restart()
                stub().echoes("back") shouldBe "back"
            }
        }

        "a server whose connection breaks is told by a GOAWAY" {
            ServerSocket(0, 1, LOCALHOST.address).use { server ->
                exposing(port = server.localPort) {
                    Plain(forwardTo(this)).use { client ->
                        val call = scope.async { statusOf { client.stub.echoes("hello") } }
                        server.soTimeout = PATIENCE.inWholeMilliseconds.toInt()
                        server.accept().use {
                            // So that the call has begun, and the end is a reset.
                            it.getInputStream().read()
                        }
                        val status = call.await()
                        status.code shouldBe Status.Code.UNAVAILABLE
                        status.description shouldContain
                            "the server behind this peer, 127.0.0.1:${server.localPort}, "
                    }
                    val status = scope.async { statusOf { stub().echoes("hello") } }
                    server.accept().use { it.getInputStream().read() }
                    status.await().code shouldBe Status.Code.UNAVAILABLE
                }
            }
        }

        "a target that is no gRPC server is told from one" {
            ServerSocket(0, 1, LOCALHOST.address).use { server ->
                server.soTimeout = PATIENCE.inWholeMilliseconds.toInt()
                exposing(port = server.localPort) {
                    Plain(forwardTo(this)).use { client ->
                        val call = scope.async { statusOf { client.stub.echoes("hello") } }
                        server.accept().use {
                            it.getOutputStream().write(
                                "HTTP/1.1 400 Bad Request\r\n\r\n".toByteArray(),
                            )
                            val status = call.await()
                            status.code shouldBe Status.Code.UNAVAILABLE
                            status.description shouldContain "does not speak HTTP/2"
                        }
                    }
                }
            }
        }

        "headers without end cost the caller its connection" {
            exposing {
                val answer =
                    rawCaller(forwardTo(this)) {
                        write(frame(16_384, HEADERS, 0, 1, ByteArray(16_384)))
                        repeat(4) { write(frame(16_384, CONTINUATION, 0, 1, ByteArray(16_384))) }
                    }
                answer shouldBe
                    (
                        Http2Error.ENHANCE_YOUR_CALM to
                            "headers of 81920 bytes on stream 1, limit 65536"
                    )
                stub().echoes("another") shouldBe "another"
            }
        }

        "calls reset as fast as they are made do so, too, and what is no HTTP/2" {
            ServerSocket(0, 10, LOCALHOST.address).use { server ->
                exposing(port = server.localPort) {
                    server.soTimeout = PATIENCE.inWholeMilliseconds.toInt()
                    repeat(3) {
                        scope.launch(Dispatchers.IO) {
                            server.accept().use {
                                runCatching {
                                    // It may be cut off at once.
                                    it.getOutputStream().write(SETTINGS)
                                    it.getInputStream().transferTo(OutputStream.nullOutputStream())
                                }
                            }
                        }
                    }
                    val door = forwardTo(this)
                    rawCaller(door) {
                        repeat(4_000) { call ->
                            write(
                                frame(
                                    1,
                                    HEADERS,
                                    END_HEADERS,
                                    2 * call + 1,
                                    byteArrayOf(METHOD_POST),
                                ),
                            )
                            write(frame(4, RST_STREAM, 0, 2 * call + 1, byteArrayOf(0, 0, 0, 8)))
                        }
                    } shouldBe (Http2Error.ENHANCE_YOUR_CALM to TOO_MANY_RESETS)
                    rawCaller(door) {
                        write(frame(1, HEADERS, 0, 1, byteArrayOf(METHOD_POST)))
                        write(frame(0, DATA, 0, 1))
                    } shouldBe (Http2Error.PROTOCOL_ERROR to NO_PLACE_FOR_DATA)
                    rawCaller(
                        door,
                    ) { write(frame(1, HEADERS, END_HEADERS, 1, byteArrayOf(NO_INDEX))) }
                        ?.first shouldBe Http2Error.COMPRESSION_ERROR
                }
            }
        }

        "a caller's flood of rapid resets ends its stream" {
            var now = 0L
            val resets = ResetBudget { now }
            repeat(2_000) { resets.spend() }
            val violation = runCatching { resets.spend() }.exceptionOrNull()
            violation?.message.orEmpty() shouldContain "2000 calls reset"
            resets.giveBack()
            resets.spend()
            now += 1_000_000_000
            repeat(200) { resets.spend() }
            runCatching { resets.spend() }.exceptionOrNull() shouldNotBe null
        }

        "a chain of both doors carries calls of TCP to a server of TCP" {
            exposing {
                Plain(forwardTo(this)).use { client ->
                    client.stub.echoes("through") shouldBe "through"
                    val large = bytes(LARGE)
                    client.stub.echo(flowOf(large)).toList() shouldBe listOf(large)
                    target.keeper.seen
                        .map { it.get(PEER_ID) }
                        .distinct() shouldBe listOf(caller.peerId.toString())
                }
            }
        }
    })

private const val TOO_MANY_RESETS = "more than 2000 calls reset in 10 seconds, unanswered"
private const val NO_PLACE_FOR_DATA =
    "a frame of type 0 in the midst of the header block of stream 1"
private const val DATA = 0
private const val HEADERS = 1
private const val RST_STREAM = 3
private const val GOAWAY = 7
private const val CONTINUATION = 9
private const val END_HEADERS = 4

/** `:method: POST`, the third of HPACK's static table. */
private const val METHOD_POST = 0x83.toByte()

/** An entry that is in no table. */
private const val NO_INDEX = 0xff.toByte()

private fun frame(
    length: Int,
    type: Int,
    flags: Int,
    streamId: Int,
    payload: ByteArray = ByteArray(0),
): ByteArray =
    ByteBuffer
        .allocate(9 + length)
        .put((length shr 16).toByte())
        .putShort(length.toShort())
        .put(type.toByte())
        .put(flags.toByte())
        .putInt(streamId)
        .put(payload)
        .array()

/** Writes behind the preface, and returns what the GOAWAY says that comes of it. */
private fun rawCaller(
    address: InetSocketAddress,
    write: OutputStream.() -> Unit,
): Pair<Http2Error, String>? =
    Socket(address.address, address.port).use { socket ->
        socket.soTimeout = PATIENCE.inWholeMilliseconds.toInt()
        val out = BufferedOutputStream(socket.getOutputStream(), 1 shl 20)
        out.write(Http2.PREFACE + SETTINGS)
        out.write()
        out.flush()
        val input = DataInputStream(socket.getInputStream())
        generateSequence {
            val head = ByteArray(9).also(input::readFully)
            val length = ByteBuffer.wrap(head).getInt(0) ushr 8
            head[3].toInt() to ByteArray(length).also(input::readFully)
        }.first { it.first == GOAWAY }.second.let {
            Http2Error.valueOf(it[7].toLong()) to it.drop(8).toByteArray().decodeToString()
        }
    }

/**
 * A gRPC server of TCP, as any language has it, that can be killed and started again on its port.
 */
private class TargetServer {
    val service = TestService()
    val keeper = HeaderKeeper()
    private var server: Server = start(0)
    val port: Int = server.port

    private fun start(port: Int): Server =
        NettyServerBuilder
            .forAddress(InetSocketAddress(LOCALHOST.address, port))
            .addService(ServerInterceptors.intercept(service, keeper))
            .maxInboundMessageSize(2 * LARGE)
            .build()
            .start()

    fun kill() {
        server.shutdownNow().awaitTermination(PATIENCE.inWholeSeconds, TimeUnit.SECONDS) shouldBe
            true
    }

    fun restart() {
        server = start(port)
    }
}

private class Exposing(
    val scope: CoroutineScope,
    val loops: EventLoopGroup,
    val caller: Peer,
    val server: Peer,
    val target: TargetServer,
    val events: Events,
    val forwards: MutableList<ForwardDoor>,
) {
    private val channel =
        caller.host.peerChannel(server.address, GrpcStream.PROTOCOL) {
            maxInboundMessageSize(2 * LARGE)
        }

    fun stub() = InteropCoroutineStub(channel)

    fun end() {
        channel.shutdownNow().awaitTermination(PATIENCE.inWholeSeconds, TimeUnit.SECONDS) shouldBe
            true
    }
}

private suspend fun forwardTo(exposing: Exposing): InetSocketAddress {
    val door =
        ForwardDoor(exposing.loops, "the peer") {
            exposing.caller.host.newStream(exposing.server.address, GrpcStream.PROTOCOL)
        }
    exposing.forwards += door
    return door.start(LOCALHOST)
}

/** A peer with a door to a server, and one that calls it; all of it is gone afterwards. */
private suspend fun exposing(
    showCalls: Boolean = false,
    authorizer: PeerAuthorizer = PeerAuthorizer { _, _ -> true },
    port: Int? = null,
    test: suspend Exposing.() -> Unit,
) = withLoops { loops ->
    val target = TargetServer()
    try {
        withPeers(configure = { host { eventLoopGroup(loops) } }) { (caller, server) ->
            val events = Events()
            val door =
                ExposeDoor(
                    TcpTarget("127.0.0.1", port ?: target.port),
                    authorizer,
                    showCalls = showCalls,
                    tell = events,
                )
            server.host.handle(GrpcStream.PROTOCOL, door)
            val exposing = Exposing(this, loops, caller, server, target, events, mutableListOf())
            try {
                exposing.test()
            } finally {
                exposing.forwards.forEach { it.shutdown(Duration.ZERO) }
                exposing.end()
                door.shutdown(1.seconds)
            }
        }
    } finally {
        target.kill()
    }
}
