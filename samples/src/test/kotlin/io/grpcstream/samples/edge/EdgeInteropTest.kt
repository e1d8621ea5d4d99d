package io.grpcstream.samples.edge

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.time.Duration.Companion.seconds

/** Edge's protocols with a peer in Go that plays Edge's part, in both roles. */
@Tag("interop")
class EdgeInteropTest {
    @Test
    fun `a peer in Go that is dialled is met, and says what it knows`() =
        runBlocking<Unit> {
            withGoPeer("--blocks", "7") { go ->
                val address = go.address()
                withEdgePeer { ada ->
                    ada.peer.meet(address) shouldBe
                        Introduction(address.peer, 100, temporary = false)
                    go.line("met") shouldBe "${ada.peer.peerId} chain 100 temporary false"
                    ada.peer.findPeers(address.peer).shouldBeEmpty()
                    ada.peer.newestBlock(address.peer) shouldBe 7u
                }
                go.line("left")
            }
        }

    @Test
    fun `a peer in Go that dials is met, and is told what we know`() =
        runBlocking<Unit> {
            withEdgePeer { ada ->
                withGoPeer("${ada.peer.addresses.first()}") { go ->
                    val id = go.address().peer
                    go.line("met") shouldBe "${ada.peer.peerId} chain 100 temporary false"
                    go.line("peers") shouldBe "${ada.peer.peerId} []"
                    go.line("blocks") shouldBe "${ada.peer.peerId} 0"
                    ada.sees<EdgeEvent.Met>(id).introduction.chain shouldBe 100
                    go.leave()
                    ada.sees<EdgeEvent.Left>(id)
                }
            }
        }

    @Test
    fun `peers learn of each other from a peer in Go`() =
        runBlocking<Unit> {
            withGoPeer { go ->
                val address = go.address()
                withEdgePeer { ada ->
                    withEdgePeer { grace ->
                        listOf(ada, grace).forEach {
                            it.peer.meet(address)
                            go.line("met")
                        }
                        ada.peer.findPeers(address.peer) shouldContainExactly grace.peer.addresses
                    }
                }
            }
        }

    @Test
    fun `peers in Go learn of each other from us`() =
        runBlocking<Unit> {
            withEdgePeer { ada ->
                val entrance = "${ada.peer.addresses.first()}"
                withGoPeer(entrance) { first ->
                    val known = first.address()
                    ada.sees<EdgeEvent.Met>(known.peer)
                    withEdgePeer { grace ->
                        grace.peer.meet(ada.peer.addresses.first())
                        // Where it listens it tells us once it is connected.
                        eventually(30.seconds) {
                            grace.peer.findPeers(ada.peer.peerId) shouldContainExactly listOf(known)
                        }
                    }
                    withGoPeer(entrance) { second ->
                        second.line("peers") shouldBe "${ada.peer.peerId} [$known]"
                    }
                }
            }
        }

    @Test
    fun `a peer in Go that only asks is told, and is not told of`() =
        runBlocking<Unit> {
            withEdgePeer { ada ->
                val entrance = "${ada.peer.addresses.first()}"
                withGoPeer("--temporary", entrance) { visitor ->
                    val id = visitor.address().peer
                    visitor.line("blocks")
                    ada.sees<EdgeEvent.Met>(id).introduction.temporary shouldBe true
                    withGoPeer(entrance) { it.line("peers") shouldBe "${ada.peer.peerId} []" }
                }
            }
        }

    @Test
    fun `a peer in Go on another chain is refused when it is dialled`() =
        runBlocking<Unit> {
            withGoPeer("--chain", "99") { go ->
                val address = go.address()
                withEdgePeer { ada ->
                    failure { ada.peer.meet(address) } shouldBe
                        different(address.peer, ada.peer.peerId)
                    go.line("refused") shouldContain "${ada.peer.peerId}"
                }
            }
        }

    @Test
    fun `a peer in Go on another chain is refused when it dials`() =
        runBlocking<Unit> {
            withEdgePeer { ada ->
                withGoPeer("--chain", "99", "${ada.peer.addresses.first()}") { go ->
                    val id = go.address().peer
                    val status = ada.sees<EdgeEvent.Refused>(id).status
                    "${status.code}: ${status.description}" shouldBe different(id, ada.peer.peerId)
                    go.exitCode() shouldBe 1
                }
            }
        }

    private companion object {
        lateinit var program: Path

        @JvmStatic
        @BeforeAll
        fun build(
            @TempDir folder: Path,
        ) {
            program = GoPeer.build(folder)
        }

        suspend fun withGoPeer(
            vararg arguments: String,
            block: suspend (GoPeer) -> Unit,
        ) {
            GoPeer(program, *arguments).use { block(it) }
        }

        fun different(
            other: Any,
            self: Any,
        ) = "FAILED_PRECONDITION: peer $other is on chain 99, peer $self on chain 100"
    }
}
