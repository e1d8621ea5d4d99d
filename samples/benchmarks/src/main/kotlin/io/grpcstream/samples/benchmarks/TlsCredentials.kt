package io.grpcstream.samples.benchmarks

import io.grpc.ChannelCredentials
import io.grpc.ServerCredentials
import io.grpc.netty.GrpcSslContexts
import io.grpc.netty.NettySslContextChannelCredentials
import io.grpc.netty.NettySslContextServerCredentials
import io.netty.handler.ssl.SslContextBuilder
import io.netty.handler.ssl.SslProvider
import io.netty.pkitesting.CertificateBuilder

/** What grpc-netty needs for TLS 1.3: a P-256 certificate, as our hosts have, that the client trusts. */
internal class TlsCredentials(
    provider: SslProvider,
) {
    private val certificate =
        CertificateBuilder()
            .ecp256()
            .subject("CN=localhost")
            .addSanDnsName("localhost")
            .setIsCertificateAuthority(true)
            .buildSelfSigned()

    val server: ServerCredentials =
        NettySslContextServerCredentials.create(
            GrpcSslContexts
                .configure(
                    SslContextBuilder.forServer(
                        certificate.keyPair.private,
                        certificate.certificate,
                    ),
                    provider,
                ).protocols(TLS_1_3)
                .build(),
        )

    val client: ChannelCredentials =
        NettySslContextChannelCredentials.create(
            GrpcSslContexts
                .configure(SslContextBuilder.forClient(), provider)
                .trustManager(certificate.certificate)
                .protocols(TLS_1_3)
                .build(),
        )

    private companion object {
        const val TLS_1_3 = "TLSv1.3"
    }
}
