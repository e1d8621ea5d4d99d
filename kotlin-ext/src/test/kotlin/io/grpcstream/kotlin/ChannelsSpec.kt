package io.grpcstream.kotlin

import io.grpc.ManagedChannel
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.GrpcStream
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.netty.OneStreamChannel
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withContext
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** Runs [test] with a host that dials, and one that serves a greeter. */
private suspend fun serving(
    greeter: ScriptedGreeter = ScriptedGreeter(),
    test: suspend (dialer: Host, listener: Host) -> Unit,
) {
    val grpc = GrpcStream.create().registerService(greeter).serve()
    twoHosts { dialer, listener ->
        listener.handle(PROTOCOL, grpc.handler())
        test(dialer, listener)
    }
    grpc.shutdownAndAwait(Duration.ZERO)
}

private suspend fun ManagedChannel.awaitClosedStream() {
    (this as OneStreamChannel)
        .stream()
        .closed()
        .toCompletableFuture()
        .await()
}

class ChannelsSpec :
    StringSpec({
        "a channel to an address, or to a peer whose address is known, is opened in one step" {
            serving { dialer, listener ->
                val address = listener.listenAddresses().first()
                dialer.grpcChannel(address, PROTOCOL).use {
                    it.unary(UNARY, request("Ada")).message shouldBe "Hello, Ada!"
                }
                dialer.grpcChannel(listener.peerId(), PROTOCOL).use {
                    it.unary(UNARY, request("Ada")).message shouldBe "Hello, Ada!"
                }
            }
        }

        "what keeps a channel from being opened is a status" {
            serving { dialer, listener ->
                val address = listener.listenAddresses().first()
                val stranger = PeerId.of(PrivateKey.generateEd25519().publicKey())
                shouldThrow<StatusException> { dialer.grpcChannel(address, "/unknown/1.0.0") }
                    .status
                    .apply { code shouldBe Status.Code.UNAVAILABLE }
                    .description shouldContain "/unknown/1.0.0"
                shouldThrow<StatusException> {
                    dialer.grpcChannel(address.withPeerId(stranger), PROTOCOL)
                }.status.code shouldBe Status.Code.UNAUTHENTICATED
                shouldThrow<StatusException> { dialer.grpcChannel(stranger, PROTOCOL) }
                    .status.code shouldBe Status.Code.UNAVAILABLE
            }
        }

        "a stream whose channel cannot be configured is not left open" {
            serving { dialer, listener ->
                shouldThrow<IllegalArgumentException> {
                    dialer.grpcChannel(listener.listenAddresses().first(), PROTOCOL) {
                        maxInboundMessageSize(-1)
                    }
                }
                eventually(10.seconds) {
                    dialer.connections().flatMap { it.streams() }.shouldBeEmpty()
                }
            }
        }

        "options of the channel hold for its calls" {
            serving { dialer, listener ->
                val address = listener.listenAddresses().first()
                dialer.grpcChannel(address, PROTOCOL) { maxInboundMessageSize(5) }.use {
                    shouldThrow<StatusException> { it.unary(UNARY, request("Ada")) }
                        .status.code shouldBe Status.Code.RESOURCE_EXHAUSTED
                }
            }
        }

        "an undispatched caller goes on on the event loop, any other on its dispatcher" {
            serving { dialer, listener ->
                val stream = dialer.open(listener.listenAddresses().first(), PROTOCOL)
                val loop = stream.channel().eventLoop()
                stream.grpcChannel().use { channel ->
                    withContext(Dispatchers.Unconfined) {
                        channel.unary(UNARY, request("Ada"))
                        loop.inEventLoop() shouldBe true
                    }
                    withContext(Dispatchers.Default) {
                        channel.unary(UNARY, request("Ada"))
                        loop.inEventLoop() shouldBe false
                    }
                }
            }
        }

        "after its use a channel is shut down, and with it its stream" {
            serving { dialer, listener ->
                val channel = dialer.grpcChannel(listener.listenAddresses().first(), PROTOCOL)
                channel.use { it.unary(UNARY, request("Ada")).message } shouldBe "Hello, Ada!"
                channel.isShutdown shouldBe true
                channel.awaitClosedStream()
            }
        }

        "after a use that fails its calls are cancelled" {
            val greeter = SilentGreeter()
            serving(greeter) { dialer, listener ->
                val channel = dialer.grpcChannel(listener.listenAddresses().first(), PROTOCOL)
                coroutineScope {
                    val call =
                        async { runCatching { channel.unary(UNARY, request("Ada")) } }
                    greeter.called.await()
                    shouldThrow<NoSuchElementException> {
                        channel.use { throw NoSuchElementException() }
                    }
                    (call.await().exceptionOrNull() as StatusException).status.code shouldBe
                        Status.Code.UNAVAILABLE
                    greeter.cancelled.await()
                }
                channel.awaitClosedStream()
            }
        }
    })
