package io.grpcstream.samples.benchmarks

import io.grpcstream.samples.benchmarks.Figure.MEBIBYTES
import io.netty.handler.ssl.SslProvider
import org.conscrypt.Conscrypt
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.DurationUnit

private val ROUND_TRIP = 60.milliseconds
private val LONG = 1.seconds
private const val MIB = 1024.0 * 1024.0
private const val MESSAGE = 64 * 1024

/** What a stream's window lets pass, in MiB/s: 16 MiB in each round trip. */
private val WINDOW_RATE = 16 / ROUND_TRIP.toDouble(DurationUnit.SECONDS)

/** One stream between peers that are far from each other: what its window makes of that. */
internal fun delayMeasures(): List<Measure> =
    listOf(
        Measure(
            "delay-60ms",
            listOf(
                Variant("tls") { bulk("tls", HostPair.TLS) },
                Variant("noise") { bulk("noise", HostPair.NOISE) },
                Variant("noise-conscrypt", inShort = false) {
                    bulk("noise-conscrypt", HostPair.NOISE, Conscrypt.newProvider())
                },
                Variant("grpc-tls", inShort = false) {
                    download("grpc-tls") { service, link ->
                        val hosts = HostPair(HostPair.TCP, HostPair.TLS, link = link)
                        StreamTransport(hosts, service.bindService(), Executors.DIRECT)
                    }
                },
                Variant("grpc-netty-tls", inShort = false) {
                    download("grpc-netty-tls") { service, link ->
                        val definition = service.bindService()
                        nettyOverTls(definition, Executors.DIRECT, SslProvider.OPENSSL, link)
                    }
                },
            ),
            listOf("tls", "noise", "noise-conscrypt").map {
                val counts = it == "tls" || (it == "noise" && NEW_JDK)
                val bound = 0.80.takeIf { counts }
                Comparison(MEBIBYTES, it, "window", fixed = WINDOW_RATE, atLeast = bound)
            } + Comparison(MEBIBYTES, "grpc-tls", "grpc-netty-tls"),
            inShort = true,
            effort = ::ofRoundTrips,
        ),
    )

/** Many round trips each; the growth from the start is most of the warm-up. */
private fun ofRoundTrips(effort: Effort): Effort =
    if (effort.warmUps ==
        0
    ) {
        effort
    } else {
        Effort(1, minOf(effort.rounds, 5), maxOf(effort.window, LONG))
    }

private fun bulk(
    name: String,
    security: String,
    provider: java.security.Provider? = null,
): Probe {
    val link = DelayedLink(ROUND_TRIP / 2)
    val hosts = HostPair(HostPair.TCP, security, provider, link)
    return DelayProbe(name, BulkLoad(hosts), 1) {
        hosts.close()
        link.close()
    }
}

private fun download(
    name: String,
    transport: (LoadService, DelayedLink) -> GrpcTransport,
): Probe {
    val link = DelayedLink(ROUND_TRIP / 2)
    val service = LoadService()
    val open = transport(service, link)
    val channel = open.newChannel()
    val load = StreamingLoad(channel, Streaming.DOWNLOAD, payload(MESSAGE), service)
    return DelayProbe(name, load, MESSAGE) {
        channel.shutdownNow()
        open.close()
        link.close()
    }
}

/** Counts MiB, of which a unit of [load] is [bytes] bytes; shows at first how the rate grows. */
private class DelayProbe(
    private val name: String,
    private val load: Load,
    private val bytes: Int,
    private val release: () -> Unit,
) : Probe {
    private var grown = false

    override fun measure(window: Duration): Sample {
        if (!grown && window >= LONG) {
            grown = true
            showGrowth()
        }
        return Window.of(load, window).rate(MEBIBYTES).mapValues { (figure, value) ->
            if (figure == MEBIBYTES) value * bytes / MIB else value / bytes * MIB
        }
    }

    private fun showGrowth() {
        val meter = Meter()
        load.start(meter)
        val rates = List(STEPS) { meter.rateOver(STEP) }
        load.stop()
        println("# $name from its start, MiB/s in steps of $STEP: ${rates.joinToString(" ")}")
    }

    private fun Meter.rateOver(step: Duration): String {
        val before = count()
        val start = System.nanoTime()
        Thread.sleep(step.inWholeMilliseconds)
        val seconds = (System.nanoTime() - start) / 1e9
        return ((count() - before) * bytes / MIB / seconds).format(0)
    }

    override fun close() = release()

    private companion object {
        const val STEPS = 12
        val STEP = 250.milliseconds
    }
}
