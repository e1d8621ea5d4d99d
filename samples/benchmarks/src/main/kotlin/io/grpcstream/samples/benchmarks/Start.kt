package io.grpcstream.samples.benchmarks

import com.sun.management.OperatingSystemMXBean
import io.grpc.InsecureChannelCredentials
import io.grpc.InsecureServerCredentials
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.benchmarks.LoadGrpc
import io.netty.handler.ssl.SslProvider
import java.lang.management.ManagementFactory
import kotlin.system.exitProcess

/** As the first argument, makes [startMain] of a process. */
internal const val STARTER = "starter"

/** Both ends of a first call, which this process makes with as little as it takes. */
internal enum class StartPair(
    val call: () -> Unit,
) {
    TLS({ peers(HostPair.TLS) }),
    NOISE({ peers(HostPair.NOISE) }),
    GRPC_NETTY_TLS({
        val credentials = TlsCredentials(SslProvider.OPENSSL)
        call(
            NettyTransport(
                LoadService().bindService(),
                Executors.DEFAULT,
                credentials.server,
                credentials.client,
            ),
        )
    }),
    GRPC_NETTY({
        call(
            NettyTransport(
                LoadService().bindService(),
                Executors.DEFAULT,
                InsecureServerCredentials.create(),
                InsecureChannelCredentials.create(),
            ),
        )
    }),
}

/** What a process has used when its first call is answered. */
internal class StartReport(
    val cpuMillis: Double,
    val classes: Double,
) {
    override fun toString() = "$REPLIED $cpuMillis $classes"

    companion object {
        private const val REPLIED = "replied"

        fun now(): StartReport {
            val system = ManagementFactory.getOperatingSystemMXBean() as OperatingSystemMXBean
            return StartReport(
                system.processCpuTime / 1e6,
                ManagementFactory.getClassLoadingMXBean().totalLoadedClassCount.toDouble(),
            )
        }

        /** What [line] reports; null if it is something else that a JVM has printed. */
        fun of(line: String): StartReport? {
            val words = line.split(' ')
            if (words.firstOrNull() != REPLIED) return null
            return StartReport(words[1].toDouble(), words[2].toDouble())
        }
    }
}

/** Makes the call of the [StartPair] that is named, reports, and ends the process. */
internal fun startMain(pair: String): Nothing {
    StartPair.valueOf(pair).call()
    println(StartReport.now())
    exitProcess(0)
}

private fun peers(security: String) {
    val services = GrpcStream.create().registerService(LoadService())
    val server =
        GrpcPeer
            .builder()
            .configureHost { it.security(security) }
            .listen(HostPair.TCP)
            .serve(services)
            .build()
    val client = GrpcPeer.builder().configureHost { it.security(security) }.build()
    server.start().toCompletableFuture().join()
    client.start().toCompletableFuture().join()
    val channel = client.channel("libp2p:${server.addresses().first()}")
    LoadGrpc.newBlockingStub(channel).unary(payload(UNARY_BYTES))
}

private fun call(transport: GrpcTransport) {
    LoadGrpc.newBlockingStub(transport.newChannel()).unary(payload(UNARY_BYTES))
}
