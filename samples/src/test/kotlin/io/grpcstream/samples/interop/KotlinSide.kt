package io.grpcstream.samples.interop

import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.grpcStream
import kotlinx.coroutines.runBlocking

/** GrpcStream's Kotlin API with generated coroutine stubs. */
internal class KotlinSide : Side {
    override fun language(): String = "kotlin"

    override fun newServer(
        calls: Calls,
        stopper: Stopper,
    ): GrpcStream =
        grpcStream {
            service(CoroutineGreeter())
            service(CoroutineInterop(calls, stopper))
        }

    override fun scenarios(): Map<String, Scenario> =
        linkedMapOf(
            "connect" to scenario(::connect),
            "unary" to scenario(::unary),
            "server-streaming" to scenario(::serverStreaming),
            "client-streaming" to scenario(::clientStreaming),
            "bidi-streaming" to scenario(::bidiStreaming),
            "metadata" to scenario(::metadata),
            "deadline" to scenario(::deadline),
            "cancel" to scenario(::cancelByCaller),
            "abort" to scenario(::abortByServer),
            "status" to scenario(::statusDetails),
            "large" to scenario(::largeMessage),
            "too-large" to scenario(::tooLargeMessage),
            "concurrent" to scenario(::concurrentCalls),
            "streams" to scenario(::manyStreams),
            "slow-caller" to scenario(::slowCaller),
            "slow-server" to scenario(::slowServer),
            "graceful-stop" to scenario(::gracefulStop),
            "hard-stop" to scenario(::hardStop),
            "reconnect" to scenario(::reconnect),
            "identity" to scenario(::wrongIdentity),
        )

    private fun scenario(run: suspend (Peer) -> String) =
        Scenario { peer -> runBlocking { run(peer) } }
}
