package io.grpcstream.kotest

import io.grpcstream.kotlin.startAndAwait
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.coroutineScope

/**
 * Runs [test] with [count] peers that reach each other in memory, and takes them down after it.
 *
 * ```
 * withPeers(configure = { grpc { grpcStream { service(service) } } }) { (alice, bob) ->
 *     val stub = GreeterCoroutineStub(alice.channelTo(bob))
 *     stub.sayHello(helloRequest { name = "Ada" }).message shouldBe "Hello, Ada!"
 * }
 * ```
 *
 * Coroutines that [test] launches are awaited before the peers are taken down.
 *
 * Afterwards, also if the test failed or was cancelled, it shuts down the channels that
 * [Peer.channelTo] made, each [GrpcStream][io.grpcstream.GrpcStream] and each host without any
 * grace, and then looks for leaks: what has not ended by itself, connections and streams that a
 * host still counts, threads of the hosts, and, with `-Dio.netty.leakDetection.level=paranoid`,
 * Netty buffers that were dropped without a release. Leaks, and whatever fails meanwhile, fail the
 * test with an [AssertionError] that names them, suppressed by the test's own failure if there is
 * one. Buffers are tracked for the whole JVM, so one that is reported may have been dropped by code
 * that ran before; to hear of them, this takes the place of
 * [Netty's leak listener][io.netty.buffer.ByteBufUtil.setLeakListener].
 *
 * It can be called in any test, of Kotest or not. In `runTest` all works in real time except the test's own `delay`
 * and `withTimeout`, whose virtual time does not wait for peers: a `withTimeout` around a call, and
 * `withDeadline` likewise, expires as soon as the test has nothing else to do. Put such a call into
 * `withContext(Dispatchers.Default)`.
 *
 * @param configure options of the peers; see [PeersBuilder]
 * @return what [test] returns
 */
public suspend fun <T> withPeers(
    count: Int = 2,
    configure: PeersBuilder.() -> Unit = { },
    test: suspend CoroutineScope.(Peers) -> T,
): T {
    val peers = PeersBuilder().apply(configure).build(count)
    val result =
        peers.orTakeDown {
            peers.start()
            scoped { test(peers) }
        }
    peers.takeDown()
    return result
}

/** As [coroutineScope], which throws copies of what fails: a test is to fail with its own failure. */
private suspend fun <T> scoped(test: suspend CoroutineScope.() -> T): T =
    coroutineScope {
        runCatching { test() }.onFailure { coroutineContext.cancelChildren() }
    }.getOrThrow()

/** Returns what [action] does. If it fails, takes the peers down and throws its failure all the same. */
internal suspend fun <T> Peers.orTakeDown(action: suspend () -> T): T =
    try {
        action()
    } catch (failure: Throwable) {
        try {
            takeDown()
        } catch (other: Throwable) {
            failure.addSuppressed(other)
        }
        throw failure
    }

/** Starts all hosts; those that were started before one failed stay so. */
internal suspend fun Peers.start() {
    BufferLeaks.ofNetty // Records from here on.
    forEach { it.host.startAndAwait() }
}

/** Ends all that [start] began and what came of it; fails with what is left. */
internal suspend fun Peers.takeDown() {
    val leaks = closeAndFindLeaks()
    if (leaks.isNotEmpty()) {
        throw AssertionError("${leaks.size} left after the test:\n" + leaks.joinToString("\n"))
    }
}
