package io.grpcstream.kotlin

import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.Stream
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.testing.MuxedChannel
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.netty.channel.Channel
import io.netty.channel.EventLoop
import io.netty.channel.MultiThreadIoEventLoopGroup
import io.netty.channel.local.LocalIoHandler
import io.netty.channel.nio.NioIoHandler
import io.netty.channel.socket.nio.NioSocketChannel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.fold
import kotlinx.coroutines.launch
import java.io.IOException
import java.util.concurrent.TimeUnit.SECONDS
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** Streams made by [Stream.over] of channels like those of jvm-libp2p: reads cannot be paused. */
class ForeignStreamsSpec :
    StringSpec({
        timeout = 60_000

        "bytes go both ways, each half with an end of its own" {
            foreignStreams { near, far ->
                coroutineScope {
                    launch {
                        far.writeAll(far.consumeBytes())
                        far.closeWrite()
                    }
                    near.write("Hello".toByteArray())
                    near.write(", Ada".toByteArray())
                    near.closeWrite()
                    near.consumeBytes().fold("") { all, it -> all + it.decodeToString() } shouldBe
                        "Hello, Ada"
                }
                near.awaitClosed()
                far.awaitClosed()
            }
        }

        "a collector that comes late gets all, and the end" {
            foreignStreams { near, far ->
                repeat(10) { far.write(ByteArray(100_000)) }
                far.closeWrite()
                near.consumeBytes().fold(0) { all, it -> all + it.size } shouldBe 1_000_000
            }
        }

        "a peer that runs further ahead than the bound is reset, and the collector told" {
            foreignStreams { near, far ->
                near.write(ByteArray(1)) // From now on nothing is read but by bytes().
                far.write(ByteArray(2 shl 20))
                near.awaitClosed()
                shouldThrow<IOException> { near.consumeBytes().collect() }.message shouldContain
                    "limit 1,048,576"
                far.awaitClosed()
            }
        }

        "after the event loop's end, Netty's own channels, too, fail as streams do" {
            val group = MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory())
            val streams =
                List(3) {
                    val channel = NioSocketChannel()
                    group.register(channel).sync()
                    streamOver(channel)
                }
            group.shutdownGracefully(0, 5, SECONDS).syncUninterruptibly()
            shouldThrow<IOException> { streams[0].closeWrite() }
            shouldThrow<IOException> { streams[1].write(byteArrayOf(1)) }
            shouldThrow<IOException> { streams[2].consumeBytes().collect() }
            streams.forEach { it.reset() }
        }

        "calls are made and served" {
            val grpc = grpcStream { service(GreetingService()) }.serve()
            foreignStreams { near, far ->
                grpc.onStream(far)
                val channel = near.grpcChannel()
                channel.greet("Ada") shouldBe "Hello, Ada!"
                channel.shutdownNow()
                near.awaitClosed()
                eventually(10.seconds) { channel.isTerminated shouldBe true }
            }
            grpc.shutdownAndAwait(Duration.ZERO)
        }
    })

private suspend fun foreignStreams(test: suspend (near: Stream, far: Stream) -> Unit) {
    val group = MultiThreadIoEventLoopGroup(2, LocalIoHandler.newFactory())
    val one = MuxedChannel.create()
    val peers = List(2) { somePeer() }
    try {
        val near = group.next().foreignStream(one, peers[0], peers[1], true)
        val far = group.next().foreignStream(one.peer(), peers[1], peers[0], false)
        test(near, far)
        near.reset()
        far.reset()
        near.awaitClosed()
        far.awaitClosed()
    } finally {
        group.shutdownGracefully(0, 5, SECONDS).syncUninterruptibly()
    }
}

/** As another stack would: on the event loop, before anything can have been read. */
private fun EventLoop.foreignStream(
    channel: MuxedChannel,
    local: PeerId,
    remote: PeerId,
    initiator: Boolean,
): Stream =
    submit<Stream> {
        register(channel)
        streamOver(channel, local, remote, initiator)
    }.get(10, SECONDS)

private fun streamOver(
    channel: Channel,
    local: PeerId = somePeer(),
    remote: PeerId = somePeer(),
    initiator: Boolean = true,
): Stream {
    val address = Multiaddr.parse("/ip4/127.0.0.1/tcp/4001").withPeerId(remote)
    return Stream.over(channel, local, remote, address, "/test/1.0.0", initiator)
}

private fun somePeer(): PeerId = PeerId.of(PrivateKey.generateEd25519().publicKey())
