package io.grpcstream.samples.edge

import io.grpcstream.edge.DiscoveryGrpcKt.DiscoveryCoroutineStub
import io.grpcstream.edge.IdentityGrpcKt.IdentityCoroutineStub
import io.grpcstream.edge.findPeersReq
import io.grpcstream.kotlin.grpcChannel
import io.grpcstream.kotlin.use
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.samples.SampleProcess
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import java.nio.file.Path
import kotlin.time.Duration.Companion.seconds

/** What peers of Edge's protocols do among themselves. */
class EdgeSpec :
    StringSpec({
        "two peers on the same chain meet, whoever dialled" {
            withEdgePeer { ada ->
                withEdgePeer { grace ->
                    grace.peer.meet(ada.peer.addresses.first()) shouldBe ada.introduction()
                    ada.sees<EdgeEvent.Met>(grace.peer.peerId).introduction shouldBe
                        grace.introduction()
                    grace.peer.newestBlock(ada.peer.peerId) shouldBe 0u
                    ada.peer.findPeers(grace.peer.peerId).shouldBeEmpty()
                }
            }
        }

        "a peer learns of those that another one has met, and not of those that only ask" {
            withEdgePeer { ada ->
                val entrance = ada.peer.addresses.first()
                withEdgePeer { grace ->
                    withEdgePeer(EdgeOptions(temporaryDial = true)) { visitor ->
                        listOf(grace, visitor).forEach {
                            it.peer.meet(entrance)
                            ada.sees<EdgeEvent.Met>(it.peer.peerId)
                        }
                        withEdgePeer { edsger ->
                            edsger.peer.meet(entrance)
                            // Where they listen, peers tell each other once they are connected.
                            eventually(30.seconds) {
                                edsger.peer.findPeers(ada.peer.peerId) shouldContainExactly
                                    grace.peer.addresses
                            }
                        }
                    }
                }
            }
        }

        "who leaves is told of no more" {
            withEdgePeer { ada ->
                val left =
                    withEdgePeer { grace ->
                        grace.peer.meet(ada.peer.addresses.first())
                        ada.sees<EdgeEvent.Met>(grace.peer.peerId)
                        grace.peer.peerId
                    }
                ada.sees<EdgeEvent.Left>(left)
                failure { ada.peer.findPeers(left) } shouldBe
                    "UNAVAILABLE: peer $left is not connected"
            }
        }

        "a node without discovery and blocks is met all the same, under one id each time" {
            withStranger(identity { it.claims() }) { stranger ->
                val key = tempdir().toPath().resolve("edge.key")
                val ids =
                    List(2) {
                        edgeProcess(key, stranger.address).use { process ->
                            val id = process.await(Regex("listening at .*/p2p/(\\S+), chain 100"))
                            process.await(Regex("UNAVAILABLE: FindPeers, asked of peer"))
                            process.await(Regex("UNAVAILABLE: GetStatus, asked of peer"))
                            process.process.isAlive shouldBe true
                            id
                        }
                    }
                ids[1] shouldBe ids[0]
            }
        }

        "peers on different chains part, and both know why" {
            withEdgePeer { ada ->
                withEdgePeer(EdgeOptions(chain = 99)) { grace ->
                    val ofAda = "peer ${ada.peer.peerId}"
                    val ofGrace = "peer ${grace.peer.peerId}"
                    // Each is told by itself or by the other one, whichever is first.
                    val reasons =
                        Regex(
                            "$ofAda is on chain 100, $ofGrace on chain 99|" +
                                "$ofGrace is on chain 99, $ofAda on chain 100",
                        )
                    failure { grace.peer.meet(ada.peer.addresses.first()) }.let {
                        it shouldStartWith "FAILED_PRECONDITION: "
                        it shouldContain reasons
                    }
                    ada.sees<EdgeEvent.Refused>(grace.peer.peerId).status.description shouldContain
                        reasons
                }
            }
        }

        "a peer is asked for 1 to 16 peers, near a key of letters and digits" {
            withEdgePeer { ada ->
                withStranger(identity { it.claims() }) { stranger ->
                    ada.peer.meet(stranger.address)
                    stranger.host
                        .grpcChannel(
                            ada.peer.addresses.first(),
                            EdgeProtocols.DISCOVERY,
                        ).use {
                            val discovery = DiscoveryCoroutineStub(it)
                            for (number in listOf(0L, 17L, -1L)) {
                                failure {
                                    discovery.findPeers(
                                        findPeersReq { count = number },
                                    )
                                } shouldBe
                                    "INVALID_ARGUMENT: asked for $number peers, allowed are 1 to 16"
                            }
                            val odd =
                                findPeersReq {
                                    count = 1
                                    key = "a/b"
                                }
                            failure { discovery.findPeers(odd) } shouldBe
                                "INVALID_ARGUMENT: asked for peers near a key that is not of letters and digits"
                        }
                }
            }
        }

        "who says Hello as somebody else is refused, and told so" {
            withEdgePeer { ada ->
                withStranger(identity { it.claims() }) { stranger ->
                    val said = Introduction(ada.peer.peerId, 100, temporary = false).message()
                    val address = ada.peer.addresses.first()
                    val reason = "peer ${stranger.host.peerId()} said Hello as ${ada.peer.peerId}"
                    stranger.host.grpcChannel(address, EdgeProtocols.IDENTITY).use {
                        failure { IdentityCoroutineStub(it).hello(said) }
                    }
                    ada.sees<EdgeEvent.Refused>(stranger.host.peerId()).status.description shouldBe
                        reason
                }
            }
        }
    })

/** The sample as a process, which meets [peer]. */
private fun edgeProcess(
    key: Path,
    peer: Multiaddr,
) = SampleProcess(
    "io.grpcstream.samples.edge.EdgeKt",
    listOf("$key", "/ip4/127.0.0.1/tcp/0", "100", "$peer"),
)

private fun Watched.introduction() = Introduction(peer.peerId, 100, temporary = false)
