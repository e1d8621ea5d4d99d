package io.grpcstream.samples.benchmarks

import io.grpcstream.samples.benchmarks.Figure.CALLS
import io.grpcstream.samples.benchmarks.Figure.P50
import io.grpcstream.samples.benchmarks.Figure.P99

private val INTERESTING =
    setOf(
        Transports.NETTY_TLS,
        Transports.TLS,
        Transports.TLS_ONE_LOOP,
        Transports.NOISE,
    )

/** Unary calls on one channel, and on many channels over one connection. */
internal fun unaryMeasures(go: Go?): List<Measure> =
    listOf(1, 16, 128).map { outstanding ->
        Measure(
            "unary-$outstanding",
            unaryVariants("unary $UNARY_BYTES $outstanding", go) { unary(it, outstanding) } +
                apartVariants(outstanding, go),
            rates(outstanding) + latencies(outstanding),
            inShort = outstanding != 16,
        )
    } +
        Measure(
            "channels-64",
            unaryVariants("channels $UNARY_BYTES 64 128", go) { unary(it, 128, channels = 64) },
            versus(CALLS, "noise", "tls", to = "grpc-netty-tls") + versusGo(CALLS),
        ) +
        Measure(
            "unary-128-executors",
            listOf(Transports.NETTY_TLS, Transports.TLS, Transports.NOISE).map {
                Variant(it.title) { unary(it, 128, executors = Executors.DEFAULT) }
            },
            versus(CALLS, "noise", "tls", to = "grpc-netty-tls"),
        ) +
        Measure(
            "unary-128-in-one-process",
            listOf(Transports.MEMORY, Transports.IN_PROCESS, Transports.NOISE).map {
                // Called directly, a service in this process would answer before the call returns.
                Variant(it.title) { unary(it, 128, executors = Executors.DEFAULT) }
            },
            versus(CALLS, "memory", to = "in-process") + versus(CALLS, "memory", to = "noise"),
        )

private fun unaryVariants(
    command: String,
    go: Go?,
    probe: (Transports) -> Probe,
): List<Variant> =
    (Transports.entries - Transports.MEMORY - Transports.IN_PROCESS).map {
        Variant(it.title, inShort = it in INTERESTING) { probe(it) }
    } + goVariants(go) { it.probe(command, CALLS, P50, P99) }

/** The same calls where each of Go's peers has a process of its own. */
private fun apartVariants(
    outstanding: Int,
    go: Go?,
): List<Variant> =
    listOfNotNull(go).flatMap { peers ->
        listOf("tls", "noise").map { security ->
            Variant("go-$security-apart", inShort = outstanding == 1) {
                peers.peersApart(security).probe("unary $UNARY_BYTES $outstanding", CALLS, P50, P99)
            }
        }
    }

private fun rates(outstanding: Int): List<Comparison> {
    val counts = outstanding == 128
    return listOf(
        Comparison(CALLS, "tls", "grpc-netty-tls", atLeast = 0.95.takeIf { counts }),
        Comparison(CALLS, "noise", "grpc-netty-tls", atLeast = 0.90.takeIf { counts && NEW_JDK }),
    ) + versusGo(CALLS, atLeast = 1.0.takeIf { counts })
}

private fun latencies(outstanding: Int): List<Comparison> {
    val counts = outstanding == 1
    return listOf(
        Comparison(P50, "tls", "grpc-netty-tls", atMost = 1.10.takeIf { counts }),
        Comparison(P50, "noise", "grpc-netty-tls"),
        Comparison(P50, "tls-one-loop", "go-tls"),
        Comparison(P50, "tls", "go-tls-apart"),
        Comparison(P50, "noise", "go-noise-apart"),
    ) + versusGo(P50, atMost = 1.0.takeIf { counts })
}
