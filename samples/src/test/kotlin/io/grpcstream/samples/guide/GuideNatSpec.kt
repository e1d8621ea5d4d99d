package io.grpcstream.samples.guide

import io.grpc.Status.Code
import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.future.await
import kotlinx.coroutines.launch
import java.util.concurrent.ConcurrentLinkedQueue

class GuideNatSpec :
    StringSpec({
        timeout = 120_000

        "a device that only dials is called back, in Kotlin and in Java" {
            guidePeers {
                val hub = peer { }
                val device =
                    Device(tempdir().toPath().resolve("device.key"), hub.addresses().first())
                coroutineScope {
                    val seen =
                        async(start = CoroutineStart.UNDISPATCHED) { whoComes(hub.host()).first() }
                    // It waits for the device.
                    val called =
                        async(
                            start = CoroutineStart.UNDISPATCHED,
                        ) { callDevice(hub, device.peerId) }
                    device.start()
                    called.await().message shouldBe "Hello, device!"
                    seen.await() shouldBe device.peerId
                    blocking {
                        Nat
                            .deviceOf(
                                hub,
                                device.peerId,
                            ).sayHello(hello("Ada"))
                    }.message shouldBe
                        "Hello, Ada!"
                }
                hub.host().connections().forEach { it.isInitiator shouldBe false }
                blocking { device.close() }
            }
        }

        "a device in Java is kept connected, and called by its id" {
            guidePeers {
                val hub = peer { }
                val key = PrivateKey.generateEd25519()
                val come = ConcurrentLinkedQueue<PeerId>()
                Nat.whoComes(hub.host()) { come += it }
                val device =
                    start(Nat.device(key, Services.Greeter(), hub.addresses().first()).await())
                callDevice(hub, device.peerId()).message shouldBe "Hello, device!"
                come.toList() shouldBe listOf(device.peerId())
                device.addresses().shouldBeEmpty()
                device.host().isProtected(hub.peerId()) shouldBe true
            }
        }

        "streams are decided about one by one, in Kotlin and in Java" {
            guidePeers {
                val friend = calling()
                val stranger = calling()
                coroutineScope {
                    for (inJava in listOf(false, true)) {
                        val grpc = grpcStream { service(Greeter()) }
                        val server = peer { }
                        server.host().handle(GrpcStream.PROTOCOL, grpc.handler())
                        val deciding =
                            if (inJava) {
                                Nat.serveFriends(grpc, listOf(friend.peerId()))
                                null
                            } else {
                                launch { serveFriends(grpc, setOf(friend.peerId())) }
                            }
                        friend.greeterAt(server).sayHello(hello("Ada")).message shouldBe
                            "Hello, Ada!"
                        statusOf { stranger.greeterAt(server).sayHello(hello("Ada")) }.code shouldBe
                            Code.UNAVAILABLE
                        deciding?.cancel()
                        blocking { grpc.close() }
                    }
                }
            }
        }

        "a stream may be turned round: who has opened it serves on it" {
            guidePeers {
                val hub = peer { }
                val accepting = grpcStream { }
                hub.host().handle("/greeter-of-yours/1.0.0", accepting.handler())
                val device = calling()
                val offered = grpcStream { service(Greeter()) }
                device.host().connect(hub.addresses().first()).await() shouldNotBe null
                offer(device.host(), hub.peerId(), offered)
                callNext(accepting).message shouldBe "Hello, hub!"
                blocking {
                    accepting.close()
                    offered.close()
                }
            }
        }
    })
