package io.grpcstream.samples.chat

import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldEndWith
import io.kotest.matchers.string.shouldMatch
import io.kotest.matchers.string.shouldNotContain

class ScreenSpec :
    StringSpec({
        val peer = PeerId.parse("12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X")
        val plain = Screen(colour = false)

        "a peer is shown by the end of its id" {
            plain.name(peer) shouldBe "9HyQ6X"
        }

        "a line tells who did what" {
            plain.line(RoomEvent.Joined(peer)) shouldBe "* 9HyQ6X joined"
            plain.line(RoomEvent.Left(peer)) shouldBe "* 9HyQ6X left"
            plain.line(RoomEvent.Said(peer, "hello")) shouldBe "9HyQ6X  hello"
            plain.line(RoomEvent.Dropped(peer, "too slow")) shouldBe "* 9HyQ6X dropped: too slow"
            plain.line(RoomEvent.Unreachable(peer, "no route")) shouldBe
                "* 9HyQ6X cannot be reached: no route"
        }

        "colour is the peer's own, and ends with its name" {
            val colourful = Screen(colour = true)
            val name = colourful.name(peer)
            name shouldMatch Regex("\u001b\\[1;38;5;\\d+m9HyQ6X\u001b\\[0m")
            Screen(colour = true).name(peer) shouldBe name
            colourful.line(RoomEvent.Said(peer, "hello")) shouldBe "$name  hello"
            val names =
                List(64) { PeerId.of(PrivateKey.generateEd25519().publicKey()) }
                    .map { colourful.name(it).substringBefore('m') }
            (names.toSet().size > 1) shouldBe true
        }

        "what a peer says can neither move the cursor nor make lines of its own" {
            val line = plain.line(RoomEvent.Said(peer, "a\u001b[2Jb\nc\r\u202Ed\u2028e"))
            line shouldEndWith "a\uFFFD[2Jb\uFFFDc\uFFFD\uFFFDd\uFFFDe"
            line shouldNotContain "\n"
        }

        "letters of all scripts and emoji are left alone" {
            plain.line(RoomEvent.Said(peer, "Grüße 你好 👩‍🚀")) shouldBe "9HyQ6X  Grüße 你好 👩‍🚀"
        }

        "colour is used where asked for, and never against NO_COLOR" {
            usesColour(mapOf("CLICOLOR_FORCE" to "1"), console = null) shouldBe true
            usesColour(mapOf("CLICOLOR_FORCE" to "1", "NO_COLOR" to "1"), console = null) shouldBe
                false
            usesColour(emptyMap(), console = null) shouldBe false
        }
    })
