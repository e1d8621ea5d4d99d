package io.grpcstream.samples.benchmarks

/** Whether the JDK's ChaCha20 uses the processor's vectors: some bounds are only for such. */
internal val NEW_JDK: Boolean = Runtime.version().feature() >= 25

/** Each of [variants] against [to]. */
internal fun versus(
    figure: Figure,
    vararg variants: String,
    to: String,
): List<Comparison> = variants.map { Comparison(figure, it, to) }

/** Ours against Go's, by the same secure channel. */
internal fun versusGo(
    figure: Figure,
    atLeast: Double? = null,
    atMost: Double? = null,
): List<Comparison> =
    listOf("tls", "noise").map {
        Comparison(figure, it, "go-$it", atLeast = atLeast, atMost = atMost)
    }
