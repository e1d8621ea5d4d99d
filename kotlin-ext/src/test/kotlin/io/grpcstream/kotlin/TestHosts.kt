package io.grpcstream.kotlin

import io.grpcstream.libp2p.Connection
import io.grpcstream.libp2p.Host
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.collections.shouldBeSingleton
import io.kotest.matchers.shouldBe
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

internal const val PROTOCOL = "/greeter/1.0.0"

internal fun listeningHost(): Host = Host.builder().listen("/ip4/127.0.0.1/tcp/0").build()

/** Runs [test] with a peer that only dials and a peer that listens, and shuts both down after it. */
internal suspend fun twoHosts(test: suspend (dialer: Host, listener: Host) -> Unit) {
    val listener = listeningHost()
    val dialer = Host.builder().build()
    try {
        test(dialer.startAndAwait(), listener.startAndAwait())
    } finally {
        dialer.shutdownAndAwait(Duration.ZERO)
        listener.shutdownAndAwait(Duration.ZERO)
    }
}

/**
 * Waits until this host has one connection, which is that one: who accepts enters a connection into
 * its table some time after its dialler has it.
 */
internal suspend fun Host.awaitConnection(): Connection =
    eventually(30.seconds) { connections().shouldBeSingleton().single() }

/** Waits until this host has [count] streams of [PROTOCOL]. */
internal suspend fun Host.awaitStreams(count: Int) {
    eventually(10.seconds) {
        connections().flatMap { it.streams() }.count { it.protocol() == PROTOCOL } shouldBe count
    }
}
