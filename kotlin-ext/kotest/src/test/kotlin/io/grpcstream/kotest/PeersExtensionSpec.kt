package io.grpcstream.kotest

import io.grpcstream.libp2p.Libp2pException
import io.grpcstream.libp2p.PeerId
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.extensions.install
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe

class PeersExtensionSpec :
    StringSpec({
        val peers = install(PeersExtension(3) { grpc { greeter() } })
        val (alice, bob, carol) = peers
        val seen = mutableSetOf<PeerId>()

        "its peers are up in the first test" {
            alice.greet(bob) shouldBe "Hello, Ada!"
            seen += peers.map { it.peerId }
        }

        "they are the same, and still connected, in the next one" {
            peers.map { it.peerId }.toSet() shouldBe seen
            alice.host.connections(bob.peerId) shouldHaveSize 1
            carol.greet(alice) shouldBe "Hello, Ada!"
        }

        "peers of which one cannot start are all taken down, and that failure is told" {
            val extension = PeersExtension(2)
            val halves = extension.mount { host { listen("/memory/4712") } }
            shouldThrow<Libp2pException> { extension.beforeSpec(testCase.spec) }
                .suppressed
                .shouldBeEmpty()
            halves.flatMap { threadsOf(it.peerId) }.shouldBeEmpty()
            extension.afterSpec(testCase.spec)
        }

        "after the spec nothing is left of them" {
            val extension = PeersExtension(2)
            val (dave, erin) = extension.mount { grpc { greeter() } }
            extension.beforeSpec(testCase.spec)
            dave.greet(erin) shouldBe "Hello, Ada!"
            extension.afterSpec(testCase.spec)
            listOf(dave, erin).flatMap { threadsOf(it.peerId) }.shouldBeEmpty()
        }
    })
