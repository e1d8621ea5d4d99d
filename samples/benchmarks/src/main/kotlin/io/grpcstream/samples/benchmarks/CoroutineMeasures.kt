package io.grpcstream.samples.benchmarks

import io.grpc.Channel
import io.grpcstream.GrpcStream
import io.grpcstream.benchmarks.LoadGrpc
import io.grpcstream.benchmarks.LoadGrpcKt.LoadCoroutineImplBase
import io.grpcstream.benchmarks.LoadGrpcKt.LoadCoroutineStub
import io.grpcstream.benchmarks.Payload
import io.grpcstream.kotlin.grpcService
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.serverStreaming
import io.grpcstream.kotlin.unary
import io.grpcstream.samples.benchmarks.Figure.CALLS
import io.grpcstream.samples.benchmarks.Figure.MESSAGES
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/** Who calls, and who answers. */
private enum class Api {
    /** The async stub, and a service that answers in its callback. */
    JAVA,

    /** `Channel.unary` and `grpcService`. */
    KOTLIN,

    /** What grpc-kotlin generates. */
    GENERATED,
}

private val Executors.dispatcher: CoroutineDispatcher
    get() = if (this == Executors.DIRECT) Dispatchers.Unconfined else Dispatchers.Default

/** What calls are made. */
private enum class Kind {
    /** 128 unary calls outstanding. */
    CALLS,

    /** One call that brings messages without an end. */
    DOWNLOAD,
}

/**
 * Coroutines against Java's async stub, over TLS: on the event loop, and on a pool: that which
 * grpc-java takes by default, and the dispatcher that coroutines do.
 */
internal fun coroutineMeasures(): List<Measure> =
    Kind.entries.flatMap { kind -> Executors.entries.map { measure(kind, it) } }

private fun measure(
    kind: Kind,
    executors: Executors,
): Measure {
    val name = if (kind == Kind.CALLS) "coroutines-$OUTSTANDING" else "coroutines-download"
    val figure = if (kind == Kind.CALLS) CALLS else MESSAGES
    val counts = kind == Kind.CALLS && executors == Executors.DIRECT
    val variants =
        listOf(
            variant("java", Api.JAVA, Api.JAVA, kind, executors),
            variant("kotlin-client", Api.KOTLIN, Api.JAVA, kind, executors),
            variant("kotlin-service", Api.JAVA, Api.KOTLIN, kind, executors),
            variant("kotlin", Api.KOTLIN, Api.KOTLIN, kind, executors),
            variant("grpc-kotlin-client", Api.GENERATED, Api.JAVA, kind, executors),
            variant("grpc-kotlin-service", Api.JAVA, Api.GENERATED, kind, executors),
            variant("grpc-kotlin", Api.GENERATED, Api.GENERATED, kind, executors),
        )
    return Measure(
        "$name-${executors.name.lowercase()}",
        variants,
        listOf("kotlin-client", "kotlin-service", "kotlin").map {
            // On a pool it is not the same one.
            Comparison(figure, it, "java", atLeast = 0.85.takeIf { counts })
        } +
            listOf(figure, Figure.CPU, Figure.ALLOCATED).flatMap {
                versus(it, "kotlin-client", to = "grpc-kotlin-client") +
                    versus(it, "kotlin-service", to = "grpc-kotlin-service") +
                    versus(it, "kotlin", to = "grpc-kotlin")
            },
        inShort = counts,
    )
}

private fun variant(
    name: String,
    client: Api,
    service: Api,
    kind: Kind,
    executors: Executors,
) = Variant(name, inShort = "grpc" !in name) { probe(client, service, kind, executors) }

private fun probe(
    client: Api,
    service: Api,
    kind: Kind,
    executors: Executors,
): Probe {
    val javaService = LoadService()
    val transport =
        StreamTransport(
            HostPair(HostPair.TCP, HostPair.TLS),
            serving(service, javaService, executors),
            executors,
        )
    val message = payload(UNARY_BYTES)
    val dispatcher = executors.dispatcher
    return when (kind) {
        Kind.CALLS -> {
            probe(transport, channels = 1, Window::calls) { channels ->
                if (client == Api.JAVA) {
                    UnaryLoad(channels, OUTSTANDING, message)
                } else {
                    val call = caller(client, channels.single())
                    CoroutineLoad(OUTSTANDING, dispatcher, message, call)
                }
            }
        }

        Kind.DOWNLOAD -> {
            probe(transport, channels = 1, { it.rate(MESSAGES) }) { channels ->
                val channel = channels.single()
                if (client == Api.JAVA) {
                    StreamingLoad(channel, Streaming.DOWNLOAD, message, javaService)
                } else {
                    val download = downloader(client, channel)
                    CoroutineStreamingLoad(dispatcher) { download(message) }
                }
            }
        }
    }
}

private fun caller(
    client: Api,
    channel: Channel,
): suspend (Payload) -> Payload {
    if (client == Api.KOTLIN) {
        return { channel.unary(LoadGrpc.getUnaryMethod(), it) }
    }
    val stub = LoadCoroutineStub(channel)
    return { stub.unary(it) }
}

private fun downloader(
    client: Api,
    channel: Channel,
): (Payload) -> Flow<Payload> {
    if (client == Api.KOTLIN) {
        return { channel.serverStreaming(LoadGrpc.getDownloadMethod(), it) }
    }
    val stub = LoadCoroutineStub(channel)
    return { stub.download(it) }
}

private fun serving(
    service: Api,
    javaService: LoadService,
    executors: Executors,
): GrpcStream =
    when (service) {
        Api.JAVA -> {
            grpcStreamOf(javaService.bindService(), executors)
        }

        Api.GENERATED -> {
            grpcStreamOf(Generated(executors).bindService(), executors)
        }

        Api.KOTLIN -> {
            grpcStream {
                service(
                    grpcService(LoadGrpc.SERVICE_NAME, executors.dispatcher) {
                        unary(LoadGrpc.getUnaryMethod()) { it }
                        serverStreaming(LoadGrpc.getDownloadMethod()) { endless(it) }
                    },
                )
            }
        }
    }

private class Generated(
    executors: Executors,
) : LoadCoroutineImplBase(executors.dispatcher) {
    override suspend fun unary(request: Payload): Payload = request

    override fun download(request: Payload): Flow<Payload> = endless(request)
}

private fun endless(message: Payload): Flow<Payload> = flow { while (true) emit(message) }

private const val OUTSTANDING = 128
