package io.grpcstream.samples.edge

import com.google.protobuf.Empty
import io.grpcstream.edge.IdentityGrpcKt.IdentityCoroutineImplBase
import io.grpcstream.edge.IdentityGrpcKt.IdentityCoroutineStub
import io.grpcstream.edge.Status
import io.grpcstream.edge.SyncPeerGrpcKt.SyncPeerCoroutineStub
import io.grpcstream.kotlin.peerChannel
import io.grpcstream.kotlin.use
import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.time.Duration.Companion.minutes

/** Channels to a peer in Go that plays Edge's part, and is killed and started again. */
@Tag("interop")
class EdgeTargetTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `channels to a peer of Edge's protocols come back to it when it does`() =
        runBlocking<Unit> {
            val program = GoPeer.build(folder)
            val kept = arrayOf("--identity", "${folder.resolve("edge.key")}")
            val key = PrivateKey.generateSecp256k1()
            val self = Introduction(key.publicKey().let(PeerId::of), 100, temporary = false)
            withTimeout(2.minutes) {
                withGrpcPeer({
                    identity(key)
                    serve(EdgeProtocols.IDENTITY) { service(Introduced(self)) }
                }) { caller ->
                    val edge = GoPeer(program, *kept, "--blocks", "7")
                    val address = edge.address()
                    val host = caller.host()
                    host.peerChannel(address, EdgeProtocols.IDENTITY).use { identities ->
                        host.peerChannel(address, EdgeProtocols.SYNCER).use { blocks ->
                            val identity = IdentityCoroutineStub(identities).withWaitForReady()
                            val syncer = SyncPeerCoroutineStub(blocks).withWaitForReady()
                            edge.use {
                                identity.hello(self.message()).chain shouldBe 100
                                syncer.newestBlock() shouldBe 7
                            }
                            failure { SyncPeerCoroutineStub(blocks).newestBlock() }
                                .orEmpty() shouldContain "${address.peer}"
                            val waiting = List(CALLS) { async { syncer.newestBlock() } }
                            val listen = arrayOf("--address", "${address.withoutPeerId()}")
                            GoPeer(program, *kept, *listen, "--blocks", "8").use {
                                it.address() shouldBe address
                                waiting.awaitAll() shouldContainExactly List(CALLS) { 8L }
                                identity.hello(self.message()).chain shouldBe 100
                            }
                        }
                    }
                }
            }
        }

    private class Introduced(
        private val self: Introduction,
    ) : IdentityCoroutineImplBase() {
        override suspend fun hello(request: Status): Status = self.message()
    }

    private companion object {
        const val CALLS = 20

        suspend fun SyncPeerCoroutineStub.newestBlock(): Long =
            getStatus(Empty.getDefaultInstance()).number
    }
}
