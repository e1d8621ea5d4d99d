package io.grpcstream.samples.guide

import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.samples.SampleProcess
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.produceIn
import kotlinx.coroutines.future.await
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

class GuideShuttingDownSpec :
    StringSpec({
        timeout = 300_000

        /** Ends a process of [main] by SIGTERM with a call under way, which goes on to its end. */
        suspend fun finishesItsCalls(main: String) =
            SampleProcess(
                "io.grpcstream.samples.guide.$main",
                listOf("/ip4/127.0.0.1/tcp/0"),
            ).use { server ->
                val address = server.await(Regex("^serving at (\\S+)$"))
                guidePeers {
                    coroutineScope {
                        val names = Channel<String>(1)
                        val greeter = GreeterCoroutineStub(calling().channel("libp2p:$address"))
                        val requests = flow { for (name in names) emit(hello(name)) }
                        val replies = greeter.chat(requests).produceIn(this)
                        names.send("Ada")
                        replies.receive().message shouldBe "Hello, Ada!"
                        server.process.destroy() // SIGTERM
                        names.send("Grace")
                        replies.receive().message shouldBe "Hello, Grace!"
                        names.close()
                        replies.receiveCatching().isClosed shouldBe true
                    }
                }
                server.process
                    .onExit()
                    .await()
                    .exitValue() shouldBe 128 + 15
            }

        "a peer that is told to end finishes its calls first, in Kotlin and in Java" {
            withContext(Dispatchers.IO) {
                coroutineScope {
                    launch { finishesItsCalls("GracefulKt") }
                    launch { finishesItsCalls("Graceful") }
                }
            }
        }

        "a peer ends with its block" {
            guidePeers {
                val caller = calling()
                val host =
                    asPeer { peer ->
                        caller.greeterAt(peer).sayHello(hello("Ada")).message shouldBe "Hello, Ada!"
                        peer.host()
                    }
                host.listenAddresses().shouldBeEmpty()
            }
        }

        "a GrpcStream ends with its scope, and by hand in any order" {
            guidePeers {
                val peer = peer { }
                val channel =
                    calling().channel(peer.addresses().first(), "/greeter/1.0.0")
                val scope = CoroutineScope(Dispatchers.Default + Job())
                val serving = serveIn(scope, peer.host())
                GreeterCoroutineStub(channel).sayHello(hello("Ada")).message shouldBe "Hello, Ada!"
                scope.coroutineContext[Job]!!.cancelAndJoin()
                serving.isCompleted shouldBe true
                val other = peer { }
                endBoth(grpcStream { service(Greeter()) }, other.host())
                other.closed().await()
            }
        }
    })
