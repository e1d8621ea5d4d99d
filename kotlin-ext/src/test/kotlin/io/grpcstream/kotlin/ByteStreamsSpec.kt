package io.grpcstream.kotlin

import io.grpcstream.libp2p.Stream
import io.kotest.assertions.nondeterministic.continually
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.fold
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import java.io.IOException
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

class ByteStreamsSpec :
    StringSpec({
        timeout = 60_000
        "bytes go both ways, each half with an end of its own" {
            handled({ it.writeAll(it.consumeBytes()) }) { stream ->
                stream.write("Hello".toByteArray())
                stream.write(", Ada".toByteArray())
                stream.closeWrite()
                stream.consumeBytes().text() shouldBe "Hello, Ada"
                stream.awaitClosed()
            }
        }

        "many bytes arrive in order" {
            val size = 4 * 1024 * 1024
            val sent = ByteArray(size) { (it / 1021).toByte() }
            handled({ it.writeAll(it.consumeBytes()) }) { stream ->
                coroutineScope {
                    launch {
                        stream.write(sent)
                        stream.closeWrite()
                    }
                    val got = stream.consumeBytes().fold(ByteArray(0)) { all, piece -> all + piece }
                    got.contentEquals(sent) shouldBe true
                }
            }
        }

        "who does not read suspends who writes" {
            val goOn = CompletableDeferred<Unit>()
            val piece = ByteArray(64 * 1024)
            val total = 640
            val written = AtomicInteger()
            handled({
                goOn.await()
                it.consumeBytes().collect { }
            }) { stream ->
                coroutineScope {
                    val writing =
                        launch(Dispatchers.Default) {
                            stream.writeAll(
                                flow {
                                    repeat(total) {
                                        emit(piece)
                                        written.incrementAndGet()
                                    }
                                },
                            )
                        }
                    eventually(10.seconds) { stream.channel().isWritable shouldBe false }
                    continually(1.seconds) { written.get() shouldBeLessThan total / 2 }
                    goOn.complete(Unit)
                    writing.join()
                    written.get() shouldBe total
                }
                stream.closeWrite()
                stream.consumeBytes().toList() shouldBe emptyList()
                stream.awaitClosed()
            }
        }

        "a reset fails who reads and who writes, on the other side" {
            handled({
                it.consumeBytes().first()
                it.reset()
                awaitCancellation()
            }) { stream ->
                stream.write(byteArrayOf(1))
                val reading = shouldThrow<IOException> { stream.consumeBytes().collect { } }
                val writing = shouldThrow<IOException> { stream.write(byteArrayOf(2)) }
                listOf(reading, writing).forEach {
                    it.message shouldContain stream.protocol()
                    it.message shouldContain "${stream.remotePeer()}"
                }
            }
        }

        "bytes are collected once" {
            handled({ it.writeAll(it.consumeBytes()) }) { stream ->
                stream.write(byteArrayOf(1))
                stream.consumeBytes().first().toList() shouldBe listOf<Byte>(1)
                shouldThrow<IllegalStateException> { stream.consumeBytes().first() }
                stream.reset()
            }
        }

        "nothing can be written after closeWrite" {
            handled({ it.consumeBytes().collect { } }) { stream ->
                stream.closeWrite()
                shouldThrow<IOException> { stream.write(byteArrayOf(1)) }.message.orEmpty().let {
                    it shouldContain stream.protocol()
                    it shouldContain "${stream.remotePeer()}"
                    it shouldContain "closeWrite"
                }
            }
        }

        "a stream that has ended fails who reads it" {
            handled({ it.consumeBytes().collect { } }) { stream ->
                stream.reset()
                stream.awaitClosed()
                shouldThrow<IOException> { stream.consumeBytes().toList() }
            }
        }

        "after the host's shutdown nothing throws but what it says" {
            twoHosts { dialer, listener ->
                listener.handle(RAW) { }
                val streams = List(4) { dialer.open(listener.listenAddresses().first(), RAW) }
                dialer.shutdownAndAwait(Duration.ZERO)
                shouldThrow<IOException> { streams[0].closeWrite() }
                shouldThrow<IOException> { streams[1].write(byteArrayOf(1)) }
                shouldThrow<IOException> { streams[2].consumeBytes().collect { } }
                streams[3].reset()
                shouldThrow<IOException> { streams[3].closeWrite() }
            }
        }

        "a handler that fails resets its stream and harms no other" {
            twoHosts { dialer, listener ->
                val scope = CoroutineScope(Dispatchers.Default + Job())
                listener.handle(RAW, scope) { stream ->
                    stream.consumeBytes().collect {
                        check(it[0] >= 0) { "not for me" }
                        stream.write(it)
                    }
                }
                val address = listener.listenAddresses().first()
                val good = dialer.open(address, RAW)
                val bad = dialer.open(address, RAW)
                bad.write(byteArrayOf(-1))
                shouldThrow<IOException> { bad.consumeBytes().collect { } }
                good.write(byteArrayOf(1))
                good.consumeBytes().first().toList() shouldBe listOf<Byte>(1)
                scope.isActive shouldBe true
                good.reset()
                scope.coroutineContext[Job]!!.cancelAndJoin()
            }
        }

        "a cancelled scope resets its streams, and those that come later" {
            twoHosts { dialer, listener ->
                val scope = CoroutineScope(Dispatchers.Default + Job())
                val begun = CompletableDeferred<Unit>()
                listener.handle(RAW, scope) {
                    begun.complete(Unit)
                    awaitCancellation()
                }
                val address = listener.listenAddresses().first()
                val stream = dialer.open(address, RAW)
                begun.await()
                scope.cancel()
                shouldThrow<IOException> { stream.consumeBytes().collect { } }
                shouldThrow<IOException> { dialer.open(address, RAW).consumeBytes().collect { } }
            }
        }
    })

private const val RAW = "/raw/1.0.0"

private suspend fun Flow<ByteArray>.text(): String =
    fold("") { all, it -> all + it.decodeToString() }

/** Runs [test] with a stream whose other end has [handler]. */
private suspend fun handled(
    handler: suspend (Stream) -> Unit,
    test: suspend (Stream) -> Unit,
) {
    twoHosts { dialer, listener ->
        val scope = CoroutineScope(Dispatchers.Default + Job())
        listener.handle(RAW, scope, handler)
        test(dialer.open(listener.listenAddresses().first(), RAW))
        scope.coroutineContext[Job]!!.cancelAndJoin()
    }
}
