package io.grpcstream.samples.benchmarks

import io.grpc.InsecureChannelCredentials
import io.grpc.InsecureServerCredentials
import io.grpc.ServerServiceDefinition
import io.grpcstream.libp2p.transport.tcp.TcpTransport
import io.netty.channel.MultiThreadIoEventLoopGroup
import io.netty.handler.ssl.SslProvider
import org.conscrypt.Conscrypt

/** The transports that are compared, by the names that the results have. */
internal enum class Transports(
    val title: String,
    private val make: (ServerServiceDefinition, Executors) -> GrpcTransport,
) {
    /** grpc-netty over TCP, in clear. */
    NETTY("grpc-netty", { service, executors ->
        NettyTransport(
            service,
            executors,
            InsecureServerCredentials.create(),
            InsecureChannelCredentials.create(),
        )
    }),

    /** grpc-netty over TLS 1.3 by BoringSSL: what ours over TLS is measured by. */
    NETTY_TLS("grpc-netty-tls", { service, executors ->
        nettyOverTls(service, executors, SslProvider.OPENSSL)
    }),

    /** grpc-netty over TLS 1.3 by the JDK. */
    NETTY_TLS_JDK("grpc-netty-tls-jdk", { service, executors ->
        nettyOverTls(service, executors, SslProvider.JDK)
    }),

    /** GrpcStream over TLS 1.3, by BoringSSL since that is on the class path here. */
    TLS("tls", { service, executors ->
        StreamTransport(HostPair(HostPair.TCP, HostPair.TLS), service, executors)
    }),

    /** The same, with both hosts on one thread. */
    TLS_ONE_LOOP("tls-one-loop", { service, executors ->
        val loop = MultiThreadIoEventLoopGroup(1, TcpTransport.ioHandlerFactory())
        StreamTransport(HostPair(HostPair.TCP, HostPair.TLS, loops = loop), service, executors)
    }),

    /** GrpcStream over Noise, by the JDK's ciphers. */
    NOISE("noise", { service, executors ->
        StreamTransport(HostPair(HostPair.TCP, HostPair.NOISE), service, executors)
    }),

    /** GrpcStream over Noise, by Conscrypt's ciphers. */
    NOISE_CONSCRYPT("noise-conscrypt", { service, executors ->
        val hosts = HostPair(HostPair.TCP, HostPair.NOISE, Conscrypt.newProvider())
        StreamTransport(hosts, service, executors)
    }),

    /** GrpcStream in one process, over Noise still. */
    MEMORY("memory", { service, executors ->
        StreamTransport(HostPair(HostPair.MEMORY, HostPair.NOISE), service, executors)
    }),

    /** grpc-java's own transport in one process. It encodes nothing but messages. */
    IN_PROCESS("in-process", ::InProcessTransport),
    ;

    fun open(
        service: ServerServiceDefinition,
        executors: Executors = Executors.DIRECT,
    ): GrpcTransport = make(service, executors)
}

internal fun nettyOverTls(
    service: ServerServiceDefinition,
    executors: Executors,
    provider: SslProvider,
    link: DelayedLink? = null,
): GrpcTransport {
    val tls = TlsCredentials(provider)
    return NettyTransport(service, executors, tls.server, tls.client, link)
}
