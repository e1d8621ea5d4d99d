package io.grpcstream.samples.benchmarks

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.stub.ClientCalls
import io.grpc.stub.StreamObserver
import io.grpcstream.benchmarks.LoadGrpc
import io.grpcstream.benchmarks.Payload
import java.util.concurrent.Phaser
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference

/** Unary calls by Java's async stub, always [outstanding] of them, spread over [channels]. */
internal class UnaryLoad(
    private val channels: List<Channel>,
    private val outstanding: Int,
    private val request: Payload,
) : Load {
    @Volatile
    private var running = false
    private val callers = Phaser(1)
    private val failure = AtomicReference<Throwable>()

    override fun start(meter: Meter) {
        running = true
        callers.bulkRegister(outstanding)
        repeat(outstanding) { Caller(channels[it % channels.size], meter).next() }
    }

    override fun stop() {
        running = false
        callers.awaitAdvanceInterruptibly(callers.arrive(), PATIENCE_SECONDS, TimeUnit.SECONDS)
        failure.get()?.let { throw IllegalStateException("a call failed", it) }
    }

    private companion object {
        /** A call that takes longer never ends. */
        const val PATIENCE_SECONDS = 30L
    }

    /** Makes one call after the other. */
    private inner class Caller(
        private val channel: Channel,
        private val meter: Meter,
    ) : StreamObserver<Payload> {
        private var start = 0L

        /** Calls due: a call that ends before it returns must not nest the next one. */
        private val due = AtomicInteger()

        fun next() {
            if (due.getAndIncrement() > 0) return
            do {
                start = System.nanoTime()
                val call = channel.newCall(LoadGrpc.getUnaryMethod(), CallOptions.DEFAULT)
                ClientCalls.asyncUnaryCall(call, request, this)
            } while (due.decrementAndGet() > 0)
        }

        override fun onNext(reply: Payload) = meter.doneSince(start)

        override fun onError(failure: Throwable) = end(failure)

        override fun onCompleted() = if (running) next() else end(null)

        private fun end(cause: Throwable?) {
            failure.compareAndSet(null, cause)
            callers.arriveAndDeregister()
        }
    }
}
