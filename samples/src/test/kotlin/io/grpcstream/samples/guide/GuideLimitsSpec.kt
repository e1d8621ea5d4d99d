package io.grpcstream.samples.guide

import io.grpc.Status.Code
import io.grpcstream.kotlin.connectAndAwait
import io.grpcstream.libp2p.ConnectionGater
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.Refusal
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import java.time.Duration
import kotlin.time.Duration.Companion.seconds

class GuideLimitsSpec :
    StringSpec({
        timeout = 120_000

        "limits are those that were set, in Kotlin and in Java" {
            guidePeers {
                for (peer in listOf(limitedPeer(), LimitsOfPeers.limitedPeer(Services.Greeter()))) {
                    start(peer)
                    peer.host().limits().connections() shouldBe 5_000
                    peer.host().limits().dialTimeout() shouldBe Duration.ofSeconds(5)
                }
                for (tidy in listOf(tidyPeer(), LimitsOfPeers.limitedPeer(Services.Greeter()))) {
                    start(tidy)
                    tidy.host().connectionManager().highWater() shouldBe 900
                }
                TEN_THOUSAND_DEVICES.connectionsPerAddress() shouldBe 10_000
            }
        }

        "a peer with limits of its own for calls serves and calls" {
            guidePeers {
                val small = start(peerWithSmallCalls())
                val java = start(LimitsOfPeers.limitedPeer(Services.Greeter()))
                small.greeterAt(java).sayHello(hello("Ada")).message shouldBe "Hello, Ada!"
                java.greeterAt(small).sayHello(hello("Ada")).message shouldBe "Hello, Ada!"
            }
        }

        "what is turned away is counted by its kind" {
            guidePeers {
                val server =
                    peer {
                        host {
                            gater(
                                object : ConnectionGater {
                                    override fun allowAccept(remoteAddress: Multiaddr) = false
                                },
                            )
                        }
                        serve { service(Greeter()) }
                    }
                statusOf { calling().greeterAt(server).sayHello(hello("Ada")) }.code shouldBe
                    Code.UNAVAILABLE
                (turnedAway(server.host())[Refusal.GATED_ACCEPT]!! > 0) shouldBe true
            }
        }

        "a peer may be protected, and another one kept connected" {
            guidePeers {
                val hub = peer { }
                val customer = calling()
                val peer = peer { }
                keepTo(peer.host(), hub.addresses().first(), customer.peerId()).use {
                    customer.host().connectAndAwait(peer.addresses().first())
                    peer.host().isProtected(customer.peerId()) shouldBe true
                    eventually(60.seconds) {
                        hub.host().connections(peer.peerId()) shouldHaveSize 1
                    }
                    hub.host().connections().forEach { it.close() }
                    eventually(60.seconds) {
                        peer
                            .host()
                            .stats()
                            .upkeep()
                            .keptDials() shouldBeGreaterThan 1
                        peer
                            .host()
                            .stats()
                            .upkeep()
                            .keptPeersConnected() shouldBe 1
                    }
                }
                peer.host().unprotect(customer.peerId(), "customers") shouldBe false
            }
        }
    })
