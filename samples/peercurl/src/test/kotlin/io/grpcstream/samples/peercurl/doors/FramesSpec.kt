package io.grpcstream.samples.peercurl.doors

import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.netty.buffer.ByteBuf
import io.netty.buffer.Unpooled
import io.netty.handler.codec.http2.DefaultHttp2Headers
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder
import io.netty.handler.codec.http2.Http2FrameTypes
import kotlin.random.Random

class FramesSpec :
    StringSpec({
        "bytes pass as they are, however they are cut, and frames looked at are seen whole" {
            val random = Random(7)
            repeat(200) {
                val frames = List(random.nextInt(1, 8)) { random.nextBytes(random.nextInt(0, 60)) }
                val all =
                    Http2.PREFACE +
                        frames.fold(ByteArray(0)) { sum, payload ->
                            sum +
                                rawFrame(payload, streamId = 1)
                        }
                val seen = ArrayList<ByteArray>()
                val watcher =
                    object : FrameWatcher {
                        override fun begin(
                            type: Byte,
                            flags: Byte,
                            streamId: Int,
                            length: Int,
                        ) = if (length % 2 == 0) Interest.COPY else Interest.PASS

                        override fun complete(
                            type: Byte,
                            flags: Byte,
                            streamId: Int,
                            payload: ByteBuf,
                        ) {
                            seen += ByteArray(payload.readableBytes()).also(payload::readBytes)
                        }
                    }
                passed(all, random, watcher) shouldBe all
                seen.map { it.toList() } shouldContainExactly
                    frames.filter { it.size % 2 == 0 }.map { it.toList() }
            }
        }

        "headers are written anew in their place, however they are cut, padded or continued" {
            val peer = PeerId.of(PrivateKey.generateEd25519().publicKey())
            val random = Random(11)
            repeat(200) {
                val encoder = DefaultHttp2HeadersEncoder()
                val data =
                    rawFrame(
                        random.nextBytes(random.nextInt(0, 50)),
                        Http2FrameTypes.DATA,
                        streamId = 1,
                    )
                val wire =
                    Http2.PREFACE + data +
                        headers(encoder, random, 1, "x-libp2p-peer-id" to "forged", "a" to "b") +
                        data +
                        headers(encoder, random, 1, "x-libp2p-peer-id" to "trailer", "c" to "d") +
                        headers(encoder, random, 3, "a" to "b", "X_Libp2p_Peer_Id" to "forged")
                val out = Unpooled.buffer()
                val requests =
                    SignedRequests(PeerIdHeader(peer), OpenCalls(), null) { out.writeBytes(it) }
                val passage =
                    FramePassage(
                        true,
                        requests,
                    ) { bytes -> out.writeBytes(bytes).also { bytes.release() } }
                cut(wire, random).forEach { passage.pass(Unpooled.wrappedBuffer(it)) }

                out.skipBytes(Http2.PREFACE.size + data.size)
                val blocks = HeaderBlocks()
                nextHeaders(out, blocks) shouldBe
                    listOf("a" to "b", "x-libp2p-peer-id" to peer.toString())
                ByteArray(data.size).also(out::readBytes) shouldBe data
                nextHeaders(out, blocks) shouldBe listOf("c" to "d")
                nextHeaders(out, blocks) shouldBe
                    listOf("a" to "b", "x-libp2p-peer-id" to peer.toString())
                out.isReadable shouldBe false
            }
        }

        "what no client of HTTP/2 says is told from what others do" {
            fun begin(text: ByteArray) =
                shouldThrow<NotHttp2> {
                    FramePassage(true, UntouchedRequests(OpenCalls(), null)) { it.release() }
                        .pass(Unpooled.wrappedBuffer(text))
                }.begin
            begin("POST / HTTP/1.1\r\n".toByteArray()) shouldBe NotHttp2.Begin.HTTP_1
            begin(byteArrayOf(22, 3, 1)) shouldBe NotHttp2.Begin.TLS
            begin(byteArrayOf(0, 0, 4)) shouldBe NotHttp2.Begin.OTHER
        }

        "messages of statuses are what gRPC makes of them" {
            for (text in listOf("", "plain text", "100 % größer ✓", "a\nb", "%41")) {
                GrpcMessage.decode(GrpcMessage.encode(text)) shouldBe text
            }
            GrpcMessage.encode("100 % ö") shouldBe "100 %25 %C3%B6"
            GrpcMessage.decode("50% off, 100%") shouldBe "50% off, 100%"
        }

        "nothing that a peer has in its headers steers the terminal that a call is shown at" {
            val seen = mutableListOf<FinishedCall>()
            val log = CallLog { seen += it }
            val nasty = "\u001b[31m\u009b\u202ered\nline"
            val ends =
                listOf(
                    DefaultHttp2Headers(false).status(nasty),
                    DefaultHttp2Headers(
                        false,
                    ).add("grpc-status", "2").add("grpc-message", GrpcMessage.encode(nasty)),
                )
            ends.forEachIndexed { i, end ->
                log.requested(HeaderBlock(i, false, DefaultHttp2Headers(false).path("/$nasty")))
                log.responded(HeaderBlock(i, true, end))
            }
            seen.size shouldBe ends.size
            for (call in seen) {
                call.method shouldBe "\uFFFD[31m\uFFFD\uFFFDred\uFFFDline"
                call.status.description shouldContain "\uFFFD[31m\uFFFD\uFFFDred\uFFFDline"
            }
        }

        "addresses are read as people write them" {
            HostAndPort.parse("50051").toString() shouldBe "127.0.0.1:50051"
            HostAndPort.parse(":50051").toString() shouldBe "127.0.0.1:50051"
            HostAndPort.parse("0.0.0.0:0").toString() shouldBe "0.0.0.0:0"
            HostAndPort.parse("[::1]:80").toString() shouldBe "[::1]:80"
            HostAndPort.parse("db.local:80").toString() shouldBe "db.local:80"
            for (wrong in listOf("", "localhost", "localhost:", "a:70000", "::1:80")) {
                shouldThrow<IllegalArgumentException> {
                    HostAndPort.parse(
                        wrong,
                    )
                }.message.orEmpty() shouldContain
                    wrong
            }
        }
    })

private fun rawFrame(
    payload: ByteArray,
    type: Byte = Http2FrameTypes.DATA,
    flags: Int = 0,
    streamId: Int,
): ByteArray {
    val frame = Unpooled.buffer()
    Http2.frameHeader(frame, payload.size, type, flags, streamId)
    frame.writeBytes(payload)
    return ByteArray(frame.readableBytes()).also(frame::readBytes)
}

/** A header block in one frame or several, padded or not. */
private fun headers(
    encoder: DefaultHttp2HeadersEncoder,
    random: Random,
    streamId: Int,
    vararg headers: Pair<String, String>,
): ByteArray {
    val block = Unpooled.buffer()
    encoder.encodeHeaders(
        streamId,
        DefaultHttp2Headers(false).apply {
            headers.forEach { add(it.first, it.second) }
        },
        block,
    )
    val bytes = ByteArray(block.readableBytes()).also(block::readBytes)
    val first = random.nextInt(0, bytes.size + 1)
    val padding = random.nextInt(0, 9)
    val padded =
        byteArrayOf(padding.toByte()) + ByteArray(5) + bytes.copyOf(first) + ByteArray(padding)
    val whole = first == bytes.size
    val flags = PADDED or PRIORITY or (if (whole) END_OF_HEADERS else 0)
    val begin = rawFrame(padded, Http2FrameTypes.HEADERS, flags, streamId)
    if (whole) return begin
    return begin +
        rawFrame(
            bytes.copyOfRange(first, bytes.size),
            Http2FrameTypes.CONTINUATION,
            END_OF_HEADERS,
            streamId,
        )
}

private fun nextHeaders(
    wire: ByteBuf,
    blocks: HeaderBlocks,
): List<Pair<String, String>> {
    val length = wire.readUnsignedMedium()
    val type = wire.readByte()
    val flags = wire.readByte()
    val streamId = wire.readInt()
    blocks.begin(type, streamId, length) shouldBe true
    return blocks
        .add(type, flags, streamId, wire.readSlice(length))!!
        .headers
        .map { it.key.toString() to it.value.toString() }
}

private fun cut(
    bytes: ByteArray,
    random: Random,
): List<ByteArray> {
    val pieces = ArrayList<ByteArray>()
    var at = 0
    while (at < bytes.size) {
        val n = random.nextInt(1, 40).coerceAtMost(bytes.size - at)
        pieces += bytes.copyOfRange(at, at + n)
        at += n
    }
    return pieces
}

private fun passed(
    bytes: ByteArray,
    random: Random,
    watcher: FrameWatcher,
): ByteArray {
    val out = Unpooled.buffer()
    val passage =
        FramePassage(true, watcher) {
            out.writeBytes(it)
            it.release()
        }
    cut(bytes, random).forEach { passage.pass(Unpooled.wrappedBuffer(it)) }
    passage.isBetweenFrames shouldBe true
    return ByteArray(out.readableBytes()).also(out::readBytes)
}

private const val END_OF_HEADERS = 4
private const val PADDED = 8
private const val PRIORITY = 32
