package io.grpcstream.samples.benchmarks

import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.TlsProvider
import io.grpcstream.samples.benchmarks.Figure.KIBIBYTES

private const val COUNT = 100

private val securities: Map<String, (Host.Builder) -> Unit> =
    mapOf(
        "noise" to { it.security(HostPair.NOISE) },
        "tls" to { it.security(HostPair.TLS) },
        "tls-jdk" to { it.security(HostPair.TLS).tlsProvider(TlsProvider.JDK) },
    )

/** What is held for each connection, and each stream, that nobody uses. */
internal fun footprintMeasures(): List<Measure> =
    listOf(
        Measure(
            "idle-connection",
            securities.map { (name, security) ->
                footprint(name) { IdleConnections(StarOfHosts(COUNT, security)) }
            },
            securities.keys.map { Comparison(KIBIBYTES, it, "60-kib", fixed = 60.0, atMost = 1.0) },
            inShort = true,
            effort = ::once,
        ),
        Measure(
            "idle-stream",
            listOf(
                footprint("noise") { IdleStreams(StarOfHosts(1, securities.getValue("noise"))) },
            ),
            emptyList(),
            effort = ::once,
        ),
        Measure(
            "idle-grpc",
            securities.map { (name, security) ->
                footprint(name) { IdleGrpcStreams(StarOfHosts(COUNT, security), LoadService()) }
            } +
                listOf(Transports.NETTY_TLS, Transports.NETTY_TLS_JDK).map {
                    footprint(it.title) { IdleGrpcChannels(it.open(LoadService().bindService())) }
                },
            versus(KIBIBYTES, "noise", "tls", to = "grpc-netty-tls") +
                versus(KIBIBYTES, "tls-jdk", to = "grpc-netty-tls-jdk"),
            effort = ::once,
        ),
    )

/** What is held does not depend on the time, and hardly varies. */
private fun once(effort: Effort) = Effort(warmUps = 0, rounds = 2, effort.window)

private fun footprint(
    name: String,
    idlers: () -> Idlers,
) = Variant(name) { FootprintProbe(idlers(), COUNT) }

/** Prints the classes that an idle thing's memory is of, in bytes for each thing. */
internal fun printFootprint(variant: Variant) {
    variant.open().use { probe ->
        val growth = (probe as? FootprintProbe ?: error("${variant.name} is not idle")).growthEach()
        println("# ${variant.name}: ${growth.sumOf { it.second }.format(0)} bytes each")
        growth.filter { it.second >= 100 }.forEach { (name, bytes) ->
            println("#   ${bytes.format(0).padStart(8)} $name")
        }
    }
}
