package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpc.MethodDescriptor.MethodType
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * Calls [method] with one [request] and returns its one response.
 *
 * ```
 * val reply = channel.unary(GreeterGrpc.getSayHelloMethod(), request)
 * ```
 *
 * **Ends.** Whatever ends the call other than an OK with exactly one response is thrown as
 * [StatusException][io.grpc.StatusException] with the trailers; an OK with no response or with
 * two is `INTERNAL`. Cancelling the coroutine cancels the call, which the service's coroutine sees.
 *
 * **Deadline.** The earliest of that in the [options], that of gRPC's current context (such as that
 * of the call which the caller serves) and that of a [withDeadline] around the call. The peer is told
 * of it, and once it passes the call fails with `DEADLINE_EXCEEDED`. A `withTimeout` around the call
 * is no deadline: it cancels the call when it strikes.
 *
 * **Threads.** Unless the [options] name an executor, gRPC's callbacks run on the event loop of the
 * stream. They do nothing but resume the coroutine, whose dispatcher is then the only hop between
 * event loop and caller. With [Dispatchers.Unconfined][kotlinx.coroutines.Dispatchers.Unconfined]
 * there is none, and the caller must not block. Messages are parsed on the event loop.
 *
 * @param headers is copied: nothing is added to the caller's
 * @throws IllegalArgumentException if [method] is not unary
 */
public suspend fun <Q, R> Channel.unary(
    method: MethodDescriptor<Q, R>,
    request: Q,
    options: CallOptions = CallOptions.DEFAULT,
    headers: Metadata = Metadata(),
): R {
    method.requireType(MethodType.UNARY)
    return unaryCall(method, request, options, headers)
}

/**
 * Calls [method] with one [request] each time the flow is collected; the flow is the responses.
 *
 * At most 4 messages are asked for ahead of the collector; beyond them it is HTTP/2's window that a
 * slow collector lets fill, until the service's emitter suspends. A status other than OK is thrown
 * once the responses before it were collected. A collector that ends early, or that is cancelled,
 * cancels the call. Else all is as in [unary].
 *
 * @throws IllegalArgumentException at once, if [method] is not server-streaming
 */
public fun <Q, R> Channel.serverStreaming(
    method: MethodDescriptor<Q, R>,
    request: Q,
    options: CallOptions = CallOptions.DEFAULT,
    headers: Metadata = Metadata(),
): Flow<R> {
    method.requireType(MethodType.SERVER_STREAMING)
    return flow {
        streaming(method, options, headers, PREFETCH) { call ->
            call.sendOne(request)
            call.receiveEach { emit(it) }
        }
    }
}

/**
 * Calls [method] with the [requests], and returns the one response.
 *
 * The flow is collected in a coroutine of its own, in the caller's context, and only as fast as the
 * transport takes its messages: with a slow service it suspends. If it fails, the call is cancelled
 * and the failure is thrown as it is; if the response comes first, the flow is cancelled. Else all is
 * as in [unary].
 *
 * @throws IllegalArgumentException if [method] is not client-streaming
 */
public suspend fun <Q, R> Channel.clientStreaming(
    method: MethodDescriptor<Q, R>,
    requests: Flow<Q>,
    options: CallOptions = CallOptions.DEFAULT,
    headers: Metadata = Metadata(),
): R {
    method.requireType(MethodType.CLIENT_STREAMING)
    return coroutineScope {
        streaming(method, options, headers, prefetch = 2) { call ->
            sending(call, requests) { call.receiveOne() }
        }
    }
}

/**
 * Calls [method] with the [requests] each time the flow is collected; the flow is the responses.
 *
 * Requests go out as in [clientStreaming], responses come in as in [serverStreaming], neither waiting
 * for the other: each direction has its own back-pressure.
 *
 * ```
 * val requests = flowOf("Ada", "Grace").map { helloRequest { name = it } }
 * val replies = channel.bidiStreaming(GreeterGrpc.getChatMethod(), requests)
 * ```
 *
 * @throws IllegalArgumentException at once, if [method] is not bidirectional
 */
public fun <Q, R> Channel.bidiStreaming(
    method: MethodDescriptor<Q, R>,
    requests: Flow<Q>,
    options: CallOptions = CallOptions.DEFAULT,
    headers: Metadata = Metadata(),
): Flow<R> {
    method.requireType(MethodType.BIDI_STREAMING)
    return flow {
        coroutineScope {
            streaming(method, options, headers, PREFETCH) { call ->
                sending(call, requests) { call.receiveEach { emit(it) } }
            }
        }
    }
}

/** How many responses are asked for ahead of the collector. */
private const val PREFETCH = 4

private fun MethodDescriptor<*, *>.requireType(expected: MethodType) {
    require(type == expected) { "$fullMethodName is $type, not $expected" }
}
