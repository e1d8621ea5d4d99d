package io.grpcstream.samples.peercurl

import com.google.protobuf.Any
import com.google.rpc.BadRequest
import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.grpc.Status
import io.grpc.StatusException
import io.grpc.protobuf.StatusProto
import io.grpc.stub.StreamObserver
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.kotlin.GrpcStreamBuilder
import io.grpcstream.kotlin.grpcPeer
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import java.util.concurrent.CompletableFuture

/** A peer in Kotlin, which fails and waits where it is asked to. */
internal class MoodyGreeter : GreeterCoroutineImplBase() {
    /** Complete when a call waits, and when that is cancelled. */
    val waiting = CompletableFuture<Unit>()
    val cancelled = CompletableFuture<Unit>()

    override suspend fun sayHello(request: HelloRequest): HelloReply =
        when (request.name) {
            "rich" -> {
                throw StatusProto.toStatusException(
                    com.google.rpc.Status
                        .newBuilder()
                        .setCode(Status.Code.INVALID_ARGUMENT.value())
                        .setMessage("not that \u001b[31mname")
                        .addDetails(
                            Any.pack(
                                BadRequest
                                    .newBuilder()
                                    .apply {
                                        addFieldViolationsBuilder()
                                            .setField(
                                                "name",
                                            ).setDescription("too rich")
                                    }.build(),
                            ),
                        ).build(),
                )
            }

            "late" -> {
                awaitCancellation()
            }

            "wait" -> {
                try {
                    waiting.complete(Unit)
                    awaitCancellation()
                } finally {
                    cancelled.complete(Unit)
                }
            }

            else -> {
                fails(request.name) ?: helloReply { message = "Hello, ${request.name}!" }
            }
        }

    /** The name of a status is answered by that status. */
    private fun fails(name: String): HelloReply? =
        Status.Code.values().find { it.name == name && it != Status.Code.OK }?.let {
            throw StatusException(Status.fromCode(it).withDescription("as you like"))
        }

    override fun sayHelloStream(request: HelloRequest): Flow<HelloReply> =
        flow {
            if (request.name == "endless") {
                while (true) emit(helloReply { message = "x".repeat(1_000) })
            }
            for (greeting in listOf("Hello", "Bonjour", "Hej")) {
                emit(helloReply { message = "$greeting, ${request.name}!" })
            }
        }

    override suspend fun sayHelloMany(requests: Flow<HelloRequest>): HelloReply =
        helloReply {
            message = "Hello, ${requests.map { it.name }.toList().joinToString(
                " and ",
            )}!"
        }

    override fun chat(requests: Flow<HelloRequest>): Flow<HelloReply> =
        requests.map { helloReply { message = "Hello, ${it.name}!" } }
}

/** Says the headers of calls back. */
internal object Echo : ServerInterceptor {
    override fun <Q, R> interceptCall(
        call: ServerCall<Q, R>,
        headers: Metadata,
        next: ServerCallHandler<Q, R>,
    ): ServerCall.Listener<Q> =
        next.startCall(
            object : io.grpc.ForwardingServerCall.SimpleForwardingServerCall<Q, R>(call) {
                override fun sendHeaders(own: Metadata) {
                    own.merge(headers, setOf(MOOD, BYTES))
                    super.sendHeaders(own)
                }

                override fun close(
                    status: Status,
                    trailers: Metadata,
                ) {
                    trailers.put(END, "well")
                    super.close(status, trailers)
                }
            },
            headers,
        )

    private val MOOD = Metadata.Key.of("x-mood", Metadata.ASCII_STRING_MARSHALLER)
    private val BYTES = Metadata.Key.of("x-bytes-bin", Metadata.BINARY_BYTE_MARSHALLER)
    private val END = Metadata.Key.of("x-end", Metadata.ASCII_STRING_MARSHALLER)
}

/** A peer in Java's way: its API, generated stubs of observers. */
internal fun javaPeer(): GrpcPeer =
    GrpcPeer
        .builder()
        .listen(LOOPBACK)
        .serve(
            GrpcStream.PROTOCOL,
            GrpcStream
                .builder()
                .addService(
                    object : GreeterGrpc.GreeterImplBase() {
                        override fun sayHello(
                            request: HelloRequest,
                            replies: StreamObserver<HelloReply>,
                        ) {
                            replies.onNext(
                                HelloReply
                                    .newBuilder()
                                    .setMessage(
                                        "Hello, ${request.name}!",
                                    ).build(),
                            )
                            replies.onCompleted()
                        }
                    },
                ).addService(
                    io.grpc.protobuf.services.ProtoReflectionServiceV1
                        .newInstance(),
                ).addService(
                    io.grpc.protobuf.services
                        .HealthStatusManager()
                        .healthService,
                ),
        ).build()

internal fun kotlinPeer(
    greeter: MoodyGreeter,
    protocol: String = GrpcStream.PROTOCOL,
    configure: GrpcStreamBuilder.() -> Unit = { },
): GrpcPeer =
    grpcPeer {
        listen(LOOPBACK)
        serve(protocol) {
            service(greeter)
            intercept(Echo)
            configure()
        }
    }

internal const val LOOPBACK = "/ip4/127.0.0.1/tcp/0"

internal fun GrpcPeer.started(): GrpcPeer = apply { start().toCompletableFuture().get() }

internal val GrpcPeer.address: String get() = addresses().first().toString()

/** A peer to try commands on by hand. */
fun main() {
    val peer =
        kotlinPeer(MoodyGreeter()) {
            health()
            reflection()
        }.started()
    println(peer.address)
    peer.closed().toCompletableFuture().join()
}
