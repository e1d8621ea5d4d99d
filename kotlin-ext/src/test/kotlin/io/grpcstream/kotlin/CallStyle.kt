package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ServerServiceDefinition
import kotlinx.coroutines.flow.Flow

/** The greeter as lambdas, one of each kind. */
internal class GreeterLambdas(
    val unary: suspend (String) -> String,
    val serverStreaming: (String) -> Flow<String>,
    val clientStreaming: suspend (Flow<String>) -> String,
    val bidiStreaming: (Flow<String>) -> Flow<String>,
)

/** The greeter as its callers see it. */
internal interface GreeterClient {
    suspend fun unary(request: String): String

    fun serverStreaming(request: String): Flow<String>

    suspend fun clientStreaming(requests: Flow<String>): String

    fun bidiStreaming(requests: Flow<String>): Flow<String>
}

/** One way to write services and to call them; what holds of calls holds of each way. */
internal interface CallStyle {
    /** Whether calls go over a channel to the peer, in place of one over a stream. */
    val byPeer: Boolean get() = false

    fun service(lambdas: GreeterLambdas): ServerServiceDefinition

    fun client(
        channel: Channel,
        options: CallOptions = CallOptions.DEFAULT,
    ): GreeterClient
}

/** The same way, over a channel to the peer. */
internal class ByPeer(
    style: CallStyle,
) : CallStyle by style {
    override val byPeer: Boolean get() = true
}
