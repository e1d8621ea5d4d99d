package io.grpcstream.samples.interop

import com.google.protobuf.ByteString
import io.grpc.ManagedChannel
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.interop.downloadRequest
import io.grpcstream.interop.payload
import io.grpcstream.kotlin.grpcChannel
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.supervisorScope
import java.util.concurrent.atomic.AtomicInteger

private const val CALLS = 1000
private const val STREAMS = 100

// What slow readers are sent, 64 MiB: far above all windows between them and the sender.
private const val SLOW_COUNT = 1024
private const val SLOW_SIZE = 64 shl 10

internal suspend fun concurrentCalls(peer: Peer): String =
    peer.useGreeter { greeter ->
        chatAtOnce(List(CALLS) { greeter })
        "$CALLS calls at once on one stream"
    }

internal suspend fun manyStreams(peer: Peer): String {
    val channels = mutableListOf<ManagedChannel>()
    try {
        repeat(STREAMS) {
            channels += peer.host().grpcChannel(peer.address(), Peer.PROTOCOL)
        }
        chatAtOnce(channels.map { GreeterCoroutineStub(it) })
        peer.connections() shouldHaveSize 1
    } finally {
        channels.forEach { it.shutdown() }
    }
    return "$STREAMS streams at once on one connection"
}

/** Has a call open with each greeter at once: none ends before all have been answered. */
private suspend fun chatAtOnce(greeters: List<GreeterCoroutineStub>) =
    supervisorScope {
        val chats = greeters.map { Chat(it, this) }
        chats.forEachIndexed { i, chat -> chat.send("$i") }
        chats.forEachIndexed { i, chat -> chat.awaitReply() shouldBe "Hello, $i!" }
        chats.forEach { it.end() }
    }

/** Reads one payload, and the others only once the server has had to stop sending. */
internal suspend fun slowCaller(peer: Peer): String =
    peer.useInterop { interop ->
        peer.useInterop { control ->
            val watched = Watched()
            val request =
                downloadRequest {
                    count = SLOW_COUNT
                    size = SLOW_SIZE
                }
            var read = 0
            var ahead = 0
            interop.download(request, watched.headers).collect {
                it.data.size() shouldBe SLOW_SIZE
                if (++read == 1) ahead = standstill { control.watch(watched.name).sent }
            }
            ahead shouldBeLessThan SLOW_COUNT
            read shouldBe SLOW_COUNT
            "the server stopped at ${stoppedAt(ahead)}"
        }
    }

/** Sends to a server that reads on only once we have had to stop. */
internal suspend fun slowServer(peer: Peer): String =
    peer.useInterop { interop ->
        peer.useInterop { control ->
            val watched = Watched()
            val sent = AtomicInteger()
            val bytes = payload { data = ByteString.copyFrom(ByteArray(SLOW_SIZE)) }
            val payloads =
                flow {
                    repeat(SLOW_COUNT) {
                        emit(bytes)
                        sent.incrementAndGet()
                    }
                }
            coroutineScope {
                val upload = async { interop.upload(payloads, watched.headers) }
                val ahead = standstill { sent.get() }
                ahead shouldBeLessThan SLOW_COUNT
                control.resume(watched.name)
                val total = upload.await()
                total.count shouldBe SLOW_COUNT
                total.bytes shouldBe SLOW_COUNT.toLong() * SLOW_SIZE
                "the sender stopped at ${stoppedAt(ahead)}"
            }
        }
    }

private fun stoppedAt(ahead: Int) =
    "${ahead * (SLOW_SIZE shr 10)} KiB of ${SLOW_COUNT * (SLOW_SIZE shr 10)}"
