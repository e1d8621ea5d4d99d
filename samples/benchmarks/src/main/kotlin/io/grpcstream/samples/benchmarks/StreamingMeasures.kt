package io.grpcstream.samples.benchmarks

import io.grpcstream.samples.benchmarks.Figure.MESSAGES

private const val LARGE = 64 * 1024

private val TRANSPORTS =
    Transports.entries - Transports.MEMORY - Transports.IN_PROCESS - Transports.TLS_ONE_LOOP

private val INTERESTING =
    setOf(Transports.NETTY_TLS, Transports.TLS, Transports.NOISE, Transports.NOISE_CONSCRYPT)

/** The three kinds of streaming call, with small, middling and large messages. */
internal fun streamingMeasures(go: Go?): List<Measure> =
    Streaming.entries.flatMap { kind ->
        listOf(32, 1024, LARGE).map { bytes -> streamingMeasure(kind, bytes, go) }
    }

private fun streamingMeasure(
    kind: Streaming,
    bytes: Int,
    go: Go?,
): Measure {
    val counts = kind == Streaming.DOWNLOAD && bytes == LARGE
    val command = kind.name.lowercase()
    return Measure(
        "$command-$bytes",
        TRANSPORTS.map {
            Variant(it.title, inShort = it in INTERESTING) { streaming(it, kind, bytes) }
        } + goVariants(go) { it.probe("$command $bytes", MESSAGES) },
        listOf(
            of("tls", 0.90.takeIf { counts }),
            of("noise", 0.90.takeIf { counts && NEW_JDK }),
            of("noise-conscrypt", 0.60.takeIf { counts && !NEW_JDK }),
        ) + versusGo(counts),
        inShort = counts,
        // Large records take their compilers longer than small calls do.
        effort = { Effort(2 * it.warmUps, it.rounds, it.window) },
    )
}

/** JDK 17 has no cipher for Noise that Go's could be measured by; a native one is. */
private fun versusGo(counts: Boolean): List<Comparison> =
    listOf(
        Comparison(MESSAGES, "tls", "go-tls", atLeast = 1.0.takeIf { counts }),
        Comparison(MESSAGES, "noise", "go-noise", atLeast = 1.0.takeIf { counts && NEW_JDK }),
        Comparison(
            MESSAGES,
            "noise-conscrypt",
            "go-noise",
            atLeast =
                1.0.takeIf {
                    counts &&
                        !NEW_JDK
                },
        ),
    )

private fun of(
    variant: String,
    atLeast: Double?,
) = Comparison(MESSAGES, variant, "grpc-netty-tls", atLeast = atLeast)
