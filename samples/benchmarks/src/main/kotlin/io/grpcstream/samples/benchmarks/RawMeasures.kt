package io.grpcstream.samples.benchmarks

import io.grpcstream.samples.benchmarks.Figure.MEBIBYTES
import io.grpcstream.samples.benchmarks.Figure.P50
import io.grpcstream.samples.benchmarks.Figure.P99
import io.grpcstream.samples.benchmarks.Figure.ROUND_TRIPS
import org.conscrypt.Conscrypt

private const val PIECE = 64 * 1024
private const val MEBIBYTE = 1024.0 * 1024.0

/** A libp2p stream without gRPC. */
internal fun rawMeasures(go: Go?): List<Measure> =
    listOf(
        Measure(
            "raw-$PIECE",
            hostVariants { hosts ->
                rawProbe(hosts, ThroughputLoad(hosts, PIECE)) {
                    mapOf(MEBIBYTES to it.perSecond / MEBIBYTE)
                }
            } + goVariants(go) { it.probe("raw $PIECE", MEBIBYTES) },
            versus(MEBIBYTES, "tls", to = "noise") + versusGo(MEBIBYTES),
        ),
        Measure(
            "pingpong-$UNARY_BYTES",
            hostVariants { hosts ->
                rawProbe(hosts, PingPongLoad(hosts, UNARY_BYTES)) { it.latencies(ROUND_TRIPS) }
            } + goVariants(go) { it.probe("pingpong $UNARY_BYTES", ROUND_TRIPS, P50, P99) },
            versus(P50, "tls", to = "noise") + versusGo(P50),
        ),
    )

/** Ours over TCP by each secure channel. */
internal fun hostVariants(probe: (HostPair) -> Probe): List<Variant> =
    listOf(
        Variant("tls") { probe(HostPair(HostPair.TCP, HostPair.TLS)) },
        Variant("noise") { probe(HostPair(HostPair.TCP, HostPair.NOISE)) },
        Variant("noise-conscrypt", inShort = false) {
            probe(HostPair(HostPair.TCP, HostPair.NOISE, Conscrypt.newProvider()))
        },
    )

private fun rawProbe(
    hosts: HostPair,
    load: Load,
    sample: (Window) -> Sample,
): Probe = LoadProbe(load, sample) { hosts.close() }
