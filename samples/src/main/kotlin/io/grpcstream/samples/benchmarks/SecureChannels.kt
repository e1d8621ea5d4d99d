package io.grpcstream.samples.benchmarks

import io.grpcstream.kotlin.bytes
import io.grpcstream.kotlin.connectAndAwait
import io.grpcstream.kotlin.finish
import io.grpcstream.kotlin.handle
import io.grpcstream.kotlin.open
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.kotlin.write
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.security.tls.TlsProvider
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.future.await
import kotlinx.coroutines.runBlocking
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

private const val SINK = "/sink/1.0.0"
private const val ROUNDS = 9
private const val CONNECTIONS = 100
private const val MEBIBYTES = 128
private const val PIECE = 64 * 1024

/**
 * What TLS costs beside Noise, over TCP on this machine: connections a second, one after the other,
 * and the throughput of one stream without gRPC. Both ends are in this process. The two take turns;
 * each round gives a ratio, and printed is their median, with the lowest and the highest.
 */
fun main(): Unit =
    runBlocking(Dispatchers.Default) {
        val runtime = Runtime.getRuntime()
        println(
            "${runtime.availableProcessors()} cores, JDK ${Runtime.version()}, " +
                "TLS by ${TlsProvider.best()}",
        )
        val channels = listOf("/tls/1.0.0", "/noise").map { SecureChannel(it, this) }
        try {
            channels.forEach { it.start() }
            val (tls, noise) = channels
            compare("connections a second", tls, noise, SecureChannel::connectionsPerSecond)
            compare("MiB a second", tls, noise, SecureChannel::mebibytesPerSecond)
        } finally {
            channels.forEach { it.close() }
            coroutineContext.cancelChildren()
        }
    }

private suspend fun compare(
    what: String,
    tls: SecureChannel,
    noise: SecureChannel,
    measure: suspend SecureChannel.() -> Double,
) {
    listOf(tls, noise).forEach { it.measure() } // Until the JVM has compiled what counts.
    val rounds = List(ROUNDS) { tls.measure() to noise.measure() }
    val ratios = rounds.map { (ofTls, ofNoise) -> ofTls / ofNoise }.sorted()
    println(
        "%s: TLS %.0f, Noise %.0f; TLS / Noise %.2f (%.2f to %.2f)".format(
            what,
            rounds.map { it.first }.median(),
            rounds.map { it.second }.median(),
            ratios.median(),
            ratios.first(),
            ratios.last(),
        ),
    )
}

private fun List<Double>.median(): Double = sorted()[size / 2]

/** Two hosts that know one secure channel only. */
private class SecureChannel(
    security: String,
    private val scope: CoroutineScope,
) {
    private val server =
        Host
            .builder()
            .security(security)
            .listen("/ip4/127.0.0.1/tcp/0")
            .build()
    private val client = Host.builder().security(security).build()
    private val address get() = server.listenAddresses().first()

    suspend fun start() {
        server.handle(SINK, scope) { stream -> stream.bytes().collect() }
        server.startAndAwait()
        client.startAndAwait()
    }

    suspend fun connectionsPerSecond(): Double {
        val start = TimeSource.Monotonic.markNow()
        repeat(CONNECTIONS) {
            val connection = client.connectAndAwait(address)
            connection.close()
            connection.closed().await()
        }
        return CONNECTIONS / (start.elapsedNow() / 1.seconds)
    }

    suspend fun mebibytesPerSecond(): Double {
        val stream = client.open(address, SINK)
        val piece = ByteArray(PIECE)
        val start = TimeSource.Monotonic.markNow()
        repeat(MEBIBYTES * 1024 * 1024 / PIECE) { stream.write(piece) }
        stream.finish()
        stream.bytes().toList() // Ends when the server has read all.
        return MEBIBYTES / (start.elapsedNow() / 1.seconds)
    }

    suspend fun close() {
        listOf(client, server).forEach { it.shutdownAndAwait(1.seconds) }
    }
}
