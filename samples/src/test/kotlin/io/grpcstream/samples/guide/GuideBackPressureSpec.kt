package io.grpcstream.samples.guide

import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.HelloReply
import io.grpcstream.kotlin.grpcStream
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.future.await
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds

/** Messages of 16 KiB. */
private val GREETING = "x".repeat(16 * 1024)
private const val READ = 30

/**
 * The window, of a call that is read slowly, its 32 KiB and what is asked for ahead, with room to
 * spare: what an emitter that nobody holds up does in the time of some pings is far more.
 */
private const val AHEAD = 100

class GuideBackPressureSpec :
    StringSpec({
        timeout = 120_000

        "a service does not run ahead of a caller that reads slowly" {
            guidePeers {
                val emitted = AtomicInteger()
                val server =
                    serving(
                        grpcStream {
                            service(
                                EndlessGreeter {
                                    emitted.incrementAndGet()
                                    GREETING
                                },
                            )
                        },
                    )
                val caller = calling()
                val read = AtomicInteger()
                runCatching {
                    readAll(caller.greeterAt(server)) {
                        repeat(5) { caller.host().ping(server.peerId()).await() }
                        emitted.get() - read.incrementAndGet() shouldBeLessThan AHEAD
                        if (read.get() == READ) error("enough")
                    }
                }.exceptionOrNull()?.message shouldBe "enough"
            }
        }

        "nor does one in Java that asks isReady(), whoever reads" {
            guidePeers {
                val emitted = AtomicInteger()
                val reply = HelloReply.newBuilder().setMessage(GREETING).build()
                val replies = { Counted(MutableList(400) { reply }.iterator(), emitted) }
                val server =
                    serving(
                        GrpcStream
                            .create()
                            .registerService(BackPressure.ManyGreetings { replies() }),
                    )
                val caller = calling()
                val channel = caller.channel(server.target)
                val read = AtomicInteger()
                blocking {
                    BackPressure.readAll(channel, hello("Ada")) {
                        if (read.incrementAndGet() < READ) {
                            repeat(5) {
                                caller
                                    .host()
                                    .ping(server.peerId())
                                    .toCompletableFuture()
                                    .get()
                            }
                            emitted.get() - read.get() shouldBeLessThan AHEAD
                        }
                    }
                }
                read.get() shouldBe 400
                val stored = ConcurrentLinkedQueue<HelloReply>()
                GreeterGrpc
                    .newStub(channel)
                    .sayHelloStream(hello("Ada"), BackPressure.OneByOne { stored += it })
                eventually(60.seconds) { stored.size shouldBe 400 }
            }
        }

        "a collector may let the sender run ahead, or skip what is late" {
            val replies = List(10) { HelloReply.newBuilder().setMessage("$it").build() }
            ahead(replies.asFlow()).toList() shouldBe replies
            newest(replies.asFlow()).toList().last() shouldBe replies.last()
        }
    })

/** Counts in [count] the replies that are taken. */
private class Counted(
    private val replies: MutableIterator<HelloReply>,
    private val count: AtomicInteger,
) : MutableIterator<HelloReply> by replies {
    override fun next(): HelloReply {
        count.incrementAndGet()
        return replies.next()
    }
}
