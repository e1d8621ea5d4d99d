package io.grpcstream.samples.guide

import io.grpc.Status
import io.grpc.StatusException
import io.grpc.StatusRuntimeException
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.GrpcPeerBuilder
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.kotest.assertions.throwables.shouldThrowAny
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext
import kotlin.time.Duration

/** The peers of one spec's tests, in memory, which end with the test. */
internal class GuidePeers {
    private val peers = mutableListOf<GrpcPeer>()

    /** Starts [peer]. */
    suspend fun start(peer: GrpcPeer): GrpcPeer {
        peers += peer
        return peer.startAndAwait()
    }

    /** A peer that serves by [grpc]. */
    suspend fun serving(grpc: GrpcStream): GrpcPeer = peer { serve(GrpcStream.PROTOCOL, grpc) }

    /** A peer that calls. */
    suspend fun calling(): GrpcPeer = start(grpcPeer { host { threads(1) } })

    /** A peer that listens in memory. */
    suspend fun peer(configure: GrpcPeerBuilder.() -> Unit): GrpcPeer =
        start(
            grpcPeer {
                listen("/memory/0")
                host { threads(1) }
                configure()
            },
        )

    suspend fun end() {
        peers.forEach { it.shutdownAndAwait(Duration.ZERO) }
    }
}

/** Runs [test] with peers that end with it. */
internal suspend fun guidePeers(test: suspend GuidePeers.() -> Unit) {
    val peers = GuidePeers()
    try {
        withContext(Dispatchers.Default) { peers.test() }
    } finally {
        withContext(NonCancellable) { peers.end() }
    }
}

internal val GrpcPeer.target: String get() = "libp2p:${addresses().first()}"

internal fun GrpcPeer.greeterAt(other: GrpcPeer) = GreeterCoroutineStub(channel(other.target))

internal fun hello(who: String): HelloRequest = helloRequest { name = who }

/** The status with which [call] fails. */
internal suspend fun statusOf(call: suspend () -> Unit): Status =
    when (val failure = shouldThrowAny { call() }) {
        is StatusException -> failure.status
        is StatusRuntimeException -> failure.status
        else -> throw AssertionError("no status: $failure", failure)
    }

/** What blocks, for tests that must not. */
internal suspend fun <T> blocking(task: () -> T): T = withContext(Dispatchers.IO) { task() }
