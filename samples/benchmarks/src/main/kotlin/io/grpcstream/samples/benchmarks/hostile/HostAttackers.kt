package io.grpcstream.samples.benchmarks.hostile

import com.google.protobuf.CodedOutputStream
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Stream
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.libp2p.multistream.MultistreamInitiator
import io.grpcstream.libp2p.security.noise.NoiseSecurity
import io.grpcstream.libp2p.transport.tcp.TcpTransport
import io.netty.bootstrap.Bootstrap
import io.netty.buffer.Unpooled
import io.netty.channel.Channel
import io.netty.channel.ChannelInitializer
import io.netty.channel.ChannelOption
import io.netty.channel.MultiThreadIoEventLoopGroup
import io.netty.channel.nio.NioIoHandler
import io.netty.channel.socket.nio.NioSocketChannel
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.net.InetSocketAddress
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import java.util.concurrent.atomic.AtomicInteger

/** An attacker that is a libp2p peer, or many: hosts with an identity each, on the same event loops. */
internal abstract class HostAttacker(
    protected val target: Target,
) : Attacker {
    private val loops = MultiThreadIoEventLoopGroup(2, TcpTransport.ioHandlerFactory())
    private val hosts = ConcurrentLinkedQueue<Host>()

    /** Somebody that nobody knows. */
    protected fun stranger(): Host {
        val host = Host.builder().eventLoopGroup(loops).build()
        hosts += host
        return host.start().orThrow()
    }

    protected fun end(host: Host) {
        host.shutdown(Duration.ZERO).orThrow()
        hosts -= host
    }

    override fun close() {
        hosts.map { it.shutdown(Duration.ZERO) }.forEach { it.orThrow() }
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly()
    }
}

/** Waits, at most as long as the other side has for an answer; what fails is an [IOException]. */
internal fun <T> CompletionStage<T>.orThrow(): T =
    try {
        toCompletableFuture().get(20, TimeUnit.SECONDS)
    } catch (e: ExecutionException) {
        throw IOException(e.cause?.message, e.cause)
    } catch (e: TimeoutException) {
        throw IOException("no answer", e)
    }

/** Proves an identity by Noise, and leaves before there is a muxer. */
internal class SecuredChurn(
    target: Target,
) : Attacker {
    private val loops = MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory())
    private val address =
        InetSocketAddress(
            "127.0.0.1",
            target.address
                .value("tcp")
                .orElseThrow()
                .toInt(),
        )

    override fun act(thread: Int): Int {
        val secured = CompletableFuture<Channel>()
        Bootstrap()
            .group(loops)
            .channel(NioSocketChannel::class.java)
            .option(ChannelOption.SO_LINGER, 0)
            .option(ChannelOption.TCP_NODELAY, true)
            .handler(
                object : ChannelInitializer<Channel>() {
                    override fun initChannel(channel: Channel) {
                        channel.closeFuture().addListener {
                            secured.completeExceptionally(IOException("closed"))
                        }
                        secure(channel, secured)
                    }
                },
            ).connect(address)
            .syncUninterruptibly()
        secured.orThrow().close().syncUninterruptibly()
        return 1
    }

    private fun secure(
        channel: Channel,
        secured: CompletableFuture<Channel>,
    ) {
        val selector = MultistreamInitiator(listOf(NoiseSecurity.ID), Duration.ofSeconds(20))
        channel.pipeline().addLast(selector)
        selector.agreed().addListener { agreed ->
            if (!agreed.isSuccess) {
                secured.completeExceptionally(IOException(agreed.cause()))
                return@addListener
            }
            NoiseSecurity(PrivateKey.generateEd25519())
                .secure(channel, true, emptyList()) { }
                .addListener {
                    if (it.isSuccess) {
                        secured.complete(channel)
                    } else {
                        secured.completeExceptionally(IOException(it.cause()))
                    }
                }
        }
    }

    override fun close() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly()
    }
}

/** Connects, opens streams, says something on each that is no HTTP/2 yet, and leaves. */
internal class MuxedChurn(
    target: Target,
) : HostAttacker(target) {
    override fun act(thread: Int): Int {
        val host = stranger()
        try {
            repeat(STREAMS) {
                host
                    .newStream(target.address, target.protocol)
                    .orThrow()
                    .channel()
                    .writeAndFlush(Unpooled.wrappedBuffer(Http2.PREFACE.copyOf(10)))
            }
            return STREAMS
        } finally {
            end(host)
        }
    }

    private companion object {
        const val STREAMS = 8
    }
}

/**
 * Strangers who tell about themselves, by identify push, as much as may be told: 100 addresses of 64
 * components each, which is 32 KB.
 */
internal class IdentifyPush(
    target: Target,
    private val stay: Boolean,
) : HostAttacker(target) {
    private val number = AtomicInteger()

    override fun act(thread: Int): Int {
        val host = stranger()
        try {
            val stream = host.newStream(target.address, "/ipfs/id/push/1.0.0").orThrow()
            stream.channel().config().isAutoRead = true
            stream.channel().writeAndFlush(Unpooled.wrappedBuffer(push(number.incrementAndGet())))
            stream.close()
            stream.closed().orThrow() // The other side has read it.
            return 1
        } finally {
            if (!stay) end(host)
        }
    }

    private companion object {
        const val MESSAGES = 5
        const val ADDRESSES = 20
        const val COMPONENTS = 64

        /** Of a multiaddr. */
        const val IP4 = 4

        /** Of identify's message. */
        const val LISTEN_ADDRESSES = 2

        /** Messages behind their lengths; addresses that nobody else has told. */
        fun push(number: Int): ByteArray {
            val all = ByteArrayOutputStream()
            val out = CodedOutputStream.newInstance(all)
            for (message in 0 until MESSAGES) {
                val part = ByteArrayOutputStream()
                val fields = CodedOutputStream.newInstance(part)
                for (address in 0 until ADDRESSES) {
                    val bytes = ByteArrayOutputStream()
                    for (component in 0 until COMPONENTS) {
                        val ip =
                            byteArrayOf(
                                8,
                                (number shr 8).toByte(),
                                number.toByte(),
                                (message * ADDRESSES + address).toByte(),
                            )
                        if (component % 2 == 0) {
                            bytes.write(IP4)
                            bytes.writeBytes(ip)
                        } else {
                            bytes.writeBytes(TCP)
                        }
                    }
                    fields.writeByteArray(LISTEN_ADDRESSES, bytes.toByteArray())
                }
                fields.flush()
                out.writeByteArrayNoTag(part.toByteArray())
            }
            out.flush()
            return all.toByteArray()
        }

        /** The component `/tcp/4001`. */
        val TCP = byteArrayOf(6, 0x0f, 0xa1.toByte())
    }
}

/** Opens streams of the service, from one peer for each thread. */
internal abstract class StreamAttacker(
    target: Target,
) : HostAttacker(target) {
    private val peers = List(Attacker.THREADS) { lazy { stranger() } }

    protected fun stream(thread: Int): Stream {
        val stream = peers[thread].value.newStream(target.address, target.protocol).orThrow()
        stream.channel().config().isAutoRead = true
        return stream
    }
}
