package io.grpcstream.samples.benchmarks

import io.grpc.Channel
import io.grpcstream.GrpcStream
import io.grpcstream.benchmarks.LoadGrpc
import io.grpcstream.benchmarks.LoadGrpcKt.LoadCoroutineImplBase
import io.grpcstream.benchmarks.LoadGrpcKt.LoadCoroutineStub
import io.grpcstream.benchmarks.Payload
import io.grpcstream.kotlin.grpcService
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.unary
import io.grpcstream.samples.benchmarks.Figure.CALLS
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers

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

/**
 * Coroutines against Java's async stub, over TLS: on the event loop, and on a pool: that which
 * grpc-java takes by default, and the dispatcher that coroutines do.
 */
internal fun coroutineMeasures(): List<Measure> =
    Executors.entries.map { executors ->
        Measure(
            "coroutines-128-${executors.name.lowercase()}",
            listOf(
                variant("java", Api.JAVA, Api.JAVA, executors),
                variant("kotlin-client", Api.KOTLIN, Api.JAVA, executors),
                variant("kotlin-service", Api.JAVA, Api.KOTLIN, executors),
                variant("kotlin", Api.KOTLIN, Api.KOTLIN, executors),
                variant("grpc-kotlin-client", Api.GENERATED, Api.JAVA, executors),
                variant("grpc-kotlin-service", Api.JAVA, Api.GENERATED, executors),
                variant("grpc-kotlin", Api.GENERATED, Api.GENERATED, executors),
            ),
            listOf("kotlin-client", "kotlin-service", "kotlin").map {
                // On a pool it is not the same one.
                val bound = 0.85.takeIf { executors == Executors.DIRECT }
                Comparison(CALLS, it, "java", atLeast = bound)
            } +
                versus(CALLS, "kotlin-client", to = "grpc-kotlin-client") +
                versus(CALLS, "kotlin-service", to = "grpc-kotlin-service") +
                versus(CALLS, "kotlin", to = "grpc-kotlin"),
            inShort = executors == Executors.DIRECT,
        )
    }

private fun variant(
    name: String,
    client: Api,
    service: Api,
    executors: Executors,
) = Variant(name, inShort = "grpc" !in name) { probe(client, service, executors) }

private fun probe(
    client: Api,
    service: Api,
    executors: Executors,
): Probe {
    val transport =
        StreamTransport(
            HostPair(HostPair.TCP, HostPair.TLS),
            serving(service, executors),
            executors,
        )
    return probe(transport, channels = 1, Window::calls) { channels ->
        if (client == Api.JAVA) {
            UnaryLoad(channels, OUTSTANDING, payload(UNARY_BYTES))
        } else {
            val call = caller(client, channels.single())
            CoroutineLoad(OUTSTANDING, executors.dispatcher, payload(UNARY_BYTES), call)
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

private fun serving(
    service: Api,
    executors: Executors,
): GrpcStream =
    when (service) {
        Api.JAVA -> {
            grpcStreamOf(LoadService().bindService(), executors)
        }

        Api.GENERATED -> {
            grpcStreamOf(Generated(executors).bindService(), executors)
        }

        Api.KOTLIN -> {
            grpcStream {
                service(
                    grpcService(LoadGrpc.SERVICE_NAME, executors.dispatcher) {
                        unary(LoadGrpc.getUnaryMethod()) { it }
                    },
                )
            }
        }
    }

private class Generated(
    executors: Executors,
) : LoadCoroutineImplBase(executors.dispatcher) {
    override suspend fun unary(request: Payload): Payload = request
}

private const val OUTSTANDING = 128
