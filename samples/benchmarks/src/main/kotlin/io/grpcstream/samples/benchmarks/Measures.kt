package io.grpcstream.samples.benchmarks

import io.grpc.InsecureChannelCredentials
import io.grpc.InsecureServerCredentials
import io.netty.handler.ssl.SslProvider

private val D = Executors.DIRECT

internal fun nettyTls(service: LoadService, provider: SslProvider): GrpcTransport {
    val tls = TlsCredentials(provider)
    return NettyTransport(service.definition(), D, tls.server, tls.client)
}

internal fun measures(go: ((String) -> GoPeers)?): List<Measure> {
    val transports: Map<String, (LoadService) -> GrpcTransport> = mapOf(
        "grpc-netty" to { NettyTransport(it.definition(), D, InsecureServerCredentials.create(), InsecureChannelCredentials.create()) },
        "grpc-netty-tls" to { nettyTls(it, SslProvider.OPENSSL) },
        "noise" to { StreamTransport(HostPair(HostPair.TCP, HostPair.NOISE), it.definition(), D) },
        "tls" to { StreamTransport(HostPair(HostPair.TCP, HostPair.TLS), it.definition(), D) },
        "noise-conscrypt" to { StreamTransport(HostPair(HostPair.TCP, HostPair.NOISE, org.conscrypt.Conscrypt.newProvider()), it.definition(), D) },
    )
    fun cmp(f: Figure) = transports.keys.filter { it != "grpc-netty-tls" }.map { Comparison(f, it, "grpc-netty-tls") }
    return listOf(1, 16, 128).map { n ->
        Measure("unary-$n", transports.map { (name, t) -> Variant(name) { unary(t(LoadService()), n) } }, cmp(Figure.CALLS) + cmp(Figure.P50))
    } + Streaming.entries.flatMap { kind -> listOf(32, 1024, 65536).map { size ->
        Measure("${kind.name.lowercase()}-$size", transports.map { (name, t) -> Variant(name) { streaming(t, kind, size) } }, cmp(Figure.MESSAGES))
    } }
}
