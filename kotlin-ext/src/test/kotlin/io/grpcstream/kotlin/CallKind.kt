package io.grpcstream.kotlin

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.single

/** What a service does with a call's requests, whatever the call's kind. */
internal typealias Handler = (requests: Flow<String>) -> Flow<String>

/** gRPC's four kinds of calls, seen as flows of requests and of replies, some of one element. */
internal enum class CallKind(
    val title: String,
    val manyRequests: Boolean,
    val manyReplies: Boolean,
) {
    UNARY("unary", false, false),
    SERVER_STREAMING("server streaming", false, true),
    CLIENT_STREAMING("client streaming", true, false),
    BIDI_STREAMING("bidirectional streaming", true, true),
    ;

    fun call(
        client: GreeterClient,
        requests: Flow<String>,
    ): Flow<String> =
        when (this) {
            UNARY -> flow { emit(client.unary(requests.single())) }
            SERVER_STREAMING -> flow { client.serverStreaming(requests.single()).collect(::emit) }
            CLIENT_STREAMING -> flow { emit(client.clientStreaming(requests)) }
            BIDI_STREAMING -> client.bidiStreaming(requests)
        }
}

/** A service that handles calls of all kinds alike. */
internal fun greeterOf(handler: Handler) =
    GreeterLambdas(
        unary = { handler(flowOf(it)).single() },
        serverStreaming = { handler(flowOf(it)) },
        clientStreaming = { handler(it).single() },
        bidiStreaming = handler,
    )
