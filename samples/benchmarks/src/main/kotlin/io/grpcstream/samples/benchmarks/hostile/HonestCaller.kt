package io.grpcstream.samples.benchmarks.hostile

import io.grpc.stub.StreamObserver
import io.grpcstream.GrpcStream
import io.grpcstream.benchmarks.LoadGrpc
import io.grpcstream.benchmarks.Payload
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.transport.tcp.TcpTransport
import io.grpcstream.samples.benchmarks.Load
import io.grpcstream.samples.benchmarks.Meter
import io.grpcstream.samples.benchmarks.UNARY_BYTES
import io.grpcstream.samples.benchmarks.payload
import io.netty.channel.MultiThreadIoEventLoopGroup
import java.time.Duration
import java.util.concurrent.Executors
import java.util.concurrent.Phaser
import java.util.concurrent.ScheduledFuture
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.LongAdder

/** Makes small calls at a steady pace, over one stream that was there before the attack. */
internal class HonestCaller(
    target: Target,
) : Load,
    AutoCloseable {
    private val host =
        Host
            .builder()
            .threads(1)
            .build()
            .start()
            .orThrow()
    val peer: PeerId get() = host.peerId()
    private val stream = host.newStream(target.address, target.protocol).orThrow()
    private val channel = GrpcStream.wrapClientBuilder(stream).directExecutor().build()
    private val stub = LoadGrpc.newStub(channel)
    private val timer = Executors.newSingleThreadScheduledExecutor()
    private val request = payload(UNARY_BYTES)
    private val underWay = Phaser(1)
    private var pace: ScheduledFuture<*>? = null
    private val failed = LongAdder()

    /** Calls that have failed so far. */
    val failures: Long get() = failed.sum()

    override fun start(meter: Meter) {
        val call = Runnable { call(meter) }
        pace = timer.scheduleAtFixedRate(call, 0, PACE_MICROS, TimeUnit.MICROSECONDS)
    }

    private fun call(meter: Meter) {
        if (underWay.unarrivedParties > MOST) return // The latency of those there are tells enough.
        underWay.register()
        val start = System.nanoTime()
        stub.unary(
            request,
            object : StreamObserver<Payload> {
                override fun onNext(reply: Payload) = meter.doneSince(start)

                override fun onError(failure: Throwable) {
                    failed.increment()
                    if (failures <= MOST_SHOWN) println("# the honest caller: $failure")
                    underWay.arriveAndDeregister()
                }

                override fun onCompleted() {
                    underWay.arriveAndDeregister()
                }
            },
        )
    }

    override fun stop() {
        pace?.cancel(false)
        timer.submit { }.get() // The last one has begun.
        underWay.awaitAdvanceInterruptibly(underWay.arrive(), PATIENCE_SECONDS, TimeUnit.SECONDS)
    }

    override fun close() {
        timer.shutdownNow()
        channel.shutdownNow()
        host.shutdown(Duration.ZERO).orThrow()
    }

    private companion object {
        const val PACE_MICROS = 1_000L
        const val MOST = 64
        const val MOST_SHOWN = 5

        /** A call that takes longer never ends. */
        const val PATIENCE_SECONDS = 60L
    }
}

/** Comes anew for each call: a host, a connection, a stream and a channel, one after the other. */
internal class Newcomers(
    private val target: Target,
) : Load,
    AutoCloseable {
    private val loops = MultiThreadIoEventLoopGroup(1, TcpTransport.ioHandlerFactory())
    private val running = AtomicBoolean()
    private val failed = LongAdder()
    private val came = LongAdder()
    private var thread: Thread? = null

    val failures: Long get() = failed.sum()
    val count: Long get() = came.sum()

    override fun start(meter: Meter) {
        running.set(true)
        thread =
            kotlin.concurrent.thread(name = "newcomers") {
                while (running.get()) {
                    come()
                    Thread.sleep(PAUSE_MILLIS)
                }
            }
    }

    private fun come() {
        came.increment()
        val host =
            Host
                .builder()
                .eventLoopGroup(loops)
                .build()
                .start()
                .orThrow()
        try {
            val channel = GrpcStream.dial(host, target.address, target.protocol).orThrow()
            LoadGrpc
                .newBlockingStub(channel)
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .unary(payload(UNARY_BYTES))
            channel.shutdownNow()
        } catch (e: Exception) {
            failed.increment()
            if (failures <= MOST_SHOWN) println("# a newcomer: $e")
        } finally {
            host.shutdown(Duration.ZERO).orThrow()
        }
    }

    override fun stop() {
        running.set(false)
        thread?.join()
    }

    override fun close() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly()
    }

    private companion object {
        const val PAUSE_MILLIS = 20L
        const val MOST_SHOWN = 3
    }
}
