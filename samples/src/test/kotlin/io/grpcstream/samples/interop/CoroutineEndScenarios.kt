package io.grpcstream.samples.interop

import io.grpc.Status.Code
import io.grpc.StatusException
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.interop.stopRequest
import io.grpcstream.kotlin.awaitClosed
import io.grpcstream.kotlin.connectAndAwait
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.PeerIdMismatchException
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe

/** Stops the server during a call, which may finish; the stream takes no new ones. */
internal suspend fun gracefulStop(peer: Peer): String =
    peer.useChat { greeter, chat ->
        stop(peer, true)
        awaitRefusal(greeter)
        chat.greet("Grace")
        chat.end()
        unary(peer)
        "the call that ran finished, the next was refused, a new stream is served"
    }

/** Stops the server during a call, and the call with it. */
internal suspend fun hardStop(peer: Peer): String =
    peer.useChat { greeter, chat ->
        try {
            stop(peer, false)
        } catch (e: StatusException) {
            e.status.code shouldBe Code.UNAVAILABLE // Cut off, too.
        }
        shouldFail(Code.UNAVAILABLE) { chat.awaitReply() }
        awaitRefusal(greeter)
        unary(peer)
        "the call that ran ended, a new stream is served"
    }

/** Loses the connection during a call, and dials again. */
internal suspend fun reconnect(peer: Peer): String =
    peer.useChat { greeter, chat ->
        val lost = peer.host().connectAndAwait(peer.address())
        lost.close()
        shouldFail(Code.UNAVAILABLE) { chat.awaitReply() }
        awaitRefusal(greeter)
        unary(peer)
        lost.awaitClosed()
        (lost in peer.connections()) shouldBe false
        "the call that ran ended, a new connection is served"
    }

/** Dials the peer's address, but expects another peer there. */
internal suspend fun wrongIdentity(peer: Peer): String {
    val other = PeerId.of(PrivateKey.generateEd25519().publicKey())
    val refused =
        shouldThrow<PeerIdMismatchException> {
            peer.host().connectAndAwait(peer.address().withPeerId(other))
        }
    peer.host().connections(other).shouldBeEmpty()
    return "refused: ${refused.message}"
}

private suspend fun stop(
    peer: Peer,
    graceful: Boolean,
) {
    peer.useInterop { interop -> interop.stop(stopRequest { this.graceful = graceful }) }
}

/** Calls until one fails with UNAVAILABLE, as all do once the news has arrived. */
private suspend fun awaitRefusal(greeter: GreeterCoroutineStub) =
    eventually {
        try {
            greeter.sayHello(request("Ada"))
            false
        } catch (e: StatusException) {
            e.status.code shouldBe Code.UNAVAILABLE
            true
        }
    }
