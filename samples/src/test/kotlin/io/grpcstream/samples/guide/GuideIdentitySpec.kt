package io.grpcstream.samples.guide

import io.grpc.Status.Code
import io.grpcstream.GrpcStream
import io.grpcstream.PeerContext
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import java.io.IOException
import java.nio.file.Files
import java.nio.file.attribute.PosixFilePermissions.fromString
import java.util.concurrent.ConcurrentLinkedQueue

class GuideIdentitySpec :
    StringSpec({
        timeout = 120_000

        "a peer of the same key file is the same peer, in Kotlin and in Java" {
            val file = tempdir().toPath().resolve("keys").resolve("peer.key")
            val id = keptPeer(file, Greeter()).peerId()
            keptPeer(file, Greeter()).peerId() shouldBe id
            Identity.keptPeer(file, Greeter()).peerId() shouldBe id
            Files.getPosixFilePermissions(file) shouldBe fromString("rw-------")
        }

        "a key file that others may read is refused, and the text says how to mend it" {
            val file = tempdir().toPath().resolve("peer.key")
            keptPeer(file, Greeter())
            Files.setPosixFilePermissions(file, fromString("rw-r-----"))
            shouldThrow<IOException> { keptPeer(file, Greeter()) }.message shouldContain "chmod 600"
        }

        "services know the peer that calls, in Kotlin and in Java, and so do interceptors" {
            guidePeers {
                val caller = calling()
                val asked = ConcurrentLinkedQueue<PeerId>()
                for (service in listOf(WhoCalls(), Identity.WhoCalls())) {
                    val server =
                        serving(
                            grpcStream {
                                service(service)
                                intercept(
                                    Asking {
                                        asked += callerOf(it)
                                        asked += Identity.callerOf(it)
                                    },
                                )
                            },
                        )
                    val message = caller.greeterAt(server).sayHello(hello("")).message
                    message shouldStartWith "${caller.peerId()} from /memory/"
                    message shouldContain " by ${GrpcStream.PROTOCOL}"
                }
                asked.toSet().shouldContainExactly(caller.peerId())
                asked.size shouldBe 4
            }
        }

        "another peer at the address is not spoken to" {
            guidePeers {
                val server = serving(grpcStream { service(Greeter()) })
                val other = PeerId.of(PrivateKey.generateEd25519().publicKey())
                val address = server.addresses().first().withPeerId(other)
                val channel = calling().channel("libp2p:$address")
                val status =
                    statusOf {
                        blocking {
                            GreeterGrpc
                                .newBlockingStub(
                                    channel,
                                ).sayHello(hello(""))
                        }
                    }
                status.code shouldBe Code.UNAUTHENTICATED
                status.description shouldContain "$other"
                status.description shouldContain "${server.peerId()}"
            }
        }

        "ids and addresses have text forms" {
            peerIds()
            for (
            address in
            listOf("/ip6/::1/tcp/4001", "/dns/peer.example/tcp/4001", "/memory/7")
            ) {
                Multiaddr.parse(address).toString() shouldBe address
            }
            val blockchain = PrivateKey.generateSecp256k1().publicKey()
            PeerId.of(blockchain).toString() shouldStartWith "16Uiu2"
        }

        "outside of a call there is no peer" {
            shouldThrow<IllegalStateException> { PeerContext.current() }
        }
    })
