package io.grpcstream.samples.edge

import io.grpcstream.edge.DiscoveryGrpcKt.DiscoveryCoroutineStub
import io.grpcstream.edge.IdentityGrpcKt.IdentityCoroutineStub
import io.grpcstream.edge.copy
import io.grpcstream.edge.findPeersReq
import io.grpcstream.edge.status
import io.grpcstream.kotlin.grpcChannel
import io.grpcstream.kotlin.use
import io.grpcstream.libp2p.Connection
import io.grpcstream.libp2p.ConnectionListener
import io.grpcstream.libp2p.StreamHandler
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import kotlinx.coroutines.awaitCancellation
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds

/** What peers that break Edge's rules get, and that they harm nobody. */
class HostileEdgeSpec :
    StringSpec({
        val honest = identity { it.claims() }

        "more peers than were asked for are refused" {
            withStranger(honest, discovery(List(17) { "$NOWHERE/p2p/$SOMEBODY" })) { stranger ->
                askedByAda(stranger) shouldBe
                    "INTERNAL: peer ${stranger.host.peerId()} told of 17 peers, asked for at most 16"
            }
        }

        "what is no address of a peer is refused" {
            for ((text, reason) in mapOf(
                "nonsense\u001b[2J" to
                    "told of a peer whose address is none: multiaddr \"nonsense\\u001b[2J\"",
                "$NOWHERE/p2p/x" to
                    "told of a peer whose address is none: multiaddr \"$NOWHERE/p2p/x\"",
                NOWHERE to "told of an address without a peer id: $NOWHERE",
            )) {
                withStranger(honest, discovery(listOf(text))) { stranger ->
                    askedByAda(stranger) shouldStartWith
                        "INTERNAL: peer ${stranger.host.peerId()} $reason"
                }
            }
        }

        "an answer over the limit is refused" {
            withStranger(
                honest,
                discovery(listOf("x".repeat(EdgeLimits.MESSAGE_BYTES))),
            ) { stranger ->
                val failed = askedByAda(stranger)
                failed shouldStartWith
                    "RESOURCE_EXHAUSTED: FindPeers, asked of peer ${stranger.host.peerId()}: "
                failed shouldContain "maximum size ${EdgeLimits.MESSAGE_BYTES}"
            }
        }

        "a request over the limit is refused, and the peer still answers others" {
            withEdgePeer { ada ->
                withStranger(honest) { stranger ->
                    val claims =
                        stranger.claims().copy {
                            genesis =
                                "x".repeat(EdgeLimits.MESSAGE_BYTES)
                        }
                    val address = ada.peer.addresses.first()
                    stranger.host.grpcChannel(address, EdgeProtocols.IDENTITY).use { channel ->
                        val identity = IdentityCoroutineStub(channel)
                        failure { identity.hello(claims) }.shouldNotBeNull()
                        identity.hello(stranger.claims()).chain shouldBe 100
                    }
                }
            }
        }

        "who never answers is given up and disconnected" {
            withStranger(identity { awaitCancellation() }) { stranger ->
                withEdgePeer(IMPATIENT) { ada ->
                    val id = stranger.host.peerId()
                    failure { ada.peer.meet(stranger.address) } shouldBe
                        "DEADLINE_EXCEEDED: Hello, asked of peer $id: no answer within ${IMPATIENT.answer}"
                    ada.sees<EdgeEvent.Refused>(id)
                }
            }
        }

        "who does not introduce itself learns nothing" {
            withStranger(identity { awaitCancellation() }) { stranger ->
                withEdgePeer(IMPATIENT) { ada ->
                    val address = ada.peer.addresses.first()
                    stranger.host.grpcChannel(address, EdgeProtocols.DISCOVERY).use {
                        failure {
                            DiscoveryCoroutineStub(
                                it,
                            ).findPeers(findPeersReq { count = 16 })
                        }
                    }
                    ada.sees<EdgeEvent.Refused>(stranger.host.peerId())
                }
            }
        }

        "who speaks no Edge at all is refused" {
            withStranger { stranger ->
                withEdgePeer { ada ->
                    failure { ada.peer.meet(stranger.address) } shouldContain EdgeProtocols.IDENTITY
                    ada.sees<EdgeEvent.Refused>(stranger.host.peerId())
                }
            }
        }

        "who answers Hello without its id is refused" {
            withStranger(identity { status { chain = 100 } }) { stranger ->
                withEdgePeer { ada ->
                    failure { ada.peer.meet(stranger.address) } shouldStartWith
                        "INVALID_ARGUMENT: peer ${stranger.host.peerId()} said Hello without its peerID"
                }
            }
        }

        "who hangs up when it is greeted is not dialled again" {
            withStranger { stranger ->
                val connections = AtomicInteger()
                val hangsUp = StreamHandler { stranger.host.connections().forEach { it.close() } }
                stranger.host.handle(EdgeProtocols.IDENTITY, hangsUp)
                stranger.host.addListener(
                    object : ConnectionListener {
                        override fun onConnected(connection: Connection) {
                            connections.incrementAndGet()
                        }

                        override fun onDisconnected(connection: Connection) = Unit
                    },
                )
                withEdgePeer { ada ->
                    val refused =
                        "peer ${stranger.host.peerId()} refused this one: it hung up before they " +
                            "had introduced themselves, as a node does that has no slot free"
                    failure { ada.peer.meet(stranger.address) } shouldBe "UNAVAILABLE: $refused"
                    ada
                        .sees<EdgeEvent.Refused>(stranger.host.peerId())
                        .status.description shouldBe refused
                    connections.get() shouldBe 1
                }
            }
        }

        "who says one chain and answers another is refused" {
            withStranger(honest) { stranger ->
                withEdgePeer { ada ->
                    ada.peer.meet(stranger.address)
                    val claims = stranger.claims().copy { chain = 99 }
                    val address = ada.peer.addresses.first()
                    stranger.host.grpcChannel(address, EdgeProtocols.IDENTITY).use {
                        failure { IdentityCoroutineStub(it).hello(claims) }
                    }
                    ada
                        .sees<EdgeEvent.Refused>(
                            stranger.host.peerId(),
                        ).status.description shouldContain
                        "is on chain 99"
                }
            }
        }
    })

private const val NOWHERE = "/ip4/127.0.0.1/tcp/1"
private const val SOMEBODY = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X"
private val IMPATIENT = EdgeOptions(answer = 500.milliseconds)

/** How a peer fails that meets this one and asks it for peers. */
private suspend fun askedByAda(stranger: Stranger): String =
    withEdgePeer { ada ->
        val other = ada.peer.meet(stranger.address).peer
        failure { ada.peer.findPeers(other) }.shouldNotBeNull()
    }
