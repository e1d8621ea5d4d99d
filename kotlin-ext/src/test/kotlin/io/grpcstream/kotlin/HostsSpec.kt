package io.grpcstream.kotlin

import io.grpcstream.libp2p.DialException
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.PeerIdMismatchException
import io.grpcstream.libp2p.ProtocolNotSupportedException
import io.grpcstream.libp2p.Stream
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CompletableDeferred
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

class HostsSpec :
    StringSpec({
        "a started host is the host itself, and listens" {
            val host = listeningHost()
            host.startAndAwait() shouldBeSameInstanceAs host
            host.listenAddresses() shouldHaveSize 1
            host.shutdownAndAwait(Duration.ZERO)
        }

        "a stream opens to the peer at an address" {
            twoHosts { dialer, listener ->
                val inbound = CompletableDeferred<Stream>()
                listener.handle(PROTOCOL) { inbound.complete(it) }

                val outbound = dialer.open(listener.listenAddresses().first(), PROTOCOL)

                outbound.remotePeer() shouldBe listener.peerId()
                outbound.protocol() shouldBe PROTOCOL
                outbound.reset()
                inbound.await().remotePeer() shouldBe dialer.peerId()
            }
        }

        "a stream opens to a peer whose address is known" {
            twoHosts { dialer, listener ->
                listener.handle(PROTOCOL) { }
                dialer.addAddress(listener.peerId(), listener.listenAddresses().first())

                val stream = dialer.open(listener.peerId(), PROTOCOL)

                stream.remotePeer() shouldBe listener.peerId()
                stream.reset()
            }
        }

        "failures arrive as what they are, not wrapped" {
            twoHosts { dialer, listener ->
                val address = listener.listenAddresses().first()
                val stranger = PeerId.of(PrivateKey.generateEd25519().publicKey())

                shouldThrow<ProtocolNotSupportedException> {
                    dialer.open(
                        address,
                        "/unknown/1.0.0",
                    )
                }
                shouldThrow<PeerIdMismatchException> {
                    dialer.open(
                        address.withPeerId(stranger),
                        PROTOCOL,
                    )
                }
                shouldThrow<DialException> { dialer.open(stranger, PROTOCOL) }
            }
        }

        "once a host is shut down it listens no more" {
            val host = listeningHost().startAndAwait()
            host.shutdownAndAwait(5.seconds)
            host.listenAddresses().shouldBeEmpty()
            host.closed().toCompletableFuture().isDone shouldBe true
        }
    })
