package io.grpcstream.kotlin

import io.grpc.Context
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpc.MethodDescriptor.MethodType
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerMethodDefinition
import io.grpc.ServerServiceDefinition
import io.grpc.ServiceDescriptor
import io.grpc.kotlin.GrpcContextElement
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.flow.Flow
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext

/**
 * A service from lambdas, for methods of any kind and any messages:
 *
 * ```
 * val greeter =
 *     grpcService("greeter.Greeter") {
 *         unary(GreeterGrpc.getSayHelloMethod()) { request -> greet(request) }
 *         bidiStreaming(GreeterGrpc.getChatMethod()) { requests -> requests.map(::greet) }
 *     }
 * ```
 *
 * Each call is one coroutine, in the [context] given here, by default on
 * [Dispatchers.Default][kotlinx.coroutines.Dispatchers.Default]; see [GrpcServiceBuilder]. If the
 * context has a [Job][kotlinx.coroutines.Job], cancelling that cancels the calls; a failing call
 * fails alone.
 *
 * The path of a call is one hop long: the event loop of the stream decodes a request and hands it
 * over, and the dispatcher runs the coroutine, which writes its responses straight to the transport.
 * To save that hop too, a service that never blocks can run on the event loop itself, by
 * `Dispatchers.Unconfined`.
 *
 * Server reflection shows the service if its methods are those that were generated from its proto
 * file.
 *
 * @param name the full name, such as `greeter.Greeter`
 */
public fun grpcService(
    name: String,
    context: CoroutineContext = EmptyCoroutineContext,
    define: GrpcServiceBuilder.() -> Unit,
): ServerServiceDefinition = GrpcServiceBuilder(name, context).apply(define).build()

/**
 * Collects the methods of a [grpcService].
 *
 * The call ends with `OK` when the lambda has returned and its flow, if it has one, has ended. It
 * fails with what the lambda throws: a `StatusException` is sent as it is, with its trailers; any
 * other failure is logged and mapped, see [GrpcStreamBuilder.mapFailure]. When the caller cancels,
 * its deadline passes or its stream ends, the coroutine is cancelled.
 *
 * A response is sent when the transport can take it: until then the coroutine is suspended in its
 * `emit`. Requests are collected from a flow that can be collected once, of which up to four are in
 * memory; while the service does not collect, the caller is held up. Requests that come after the
 * service has stopped collecting are dropped.
 *
 * Each function fails with [IllegalArgumentException] for a method of another kind or service, or
 * one that is defined already.
 */
@BuilderDsl
public class GrpcServiceBuilder internal constructor(
    private val name: String,
    private val context: CoroutineContext,
) {
    private val methods = mutableMapOf<String, ServerMethodDefinition<*, *>>()

    /** One request, one response. */
    public fun <Q, R> unary(
        method: MethodDescriptor<Q, R>,
        implementation: suspend (request: Q) -> R,
    ): Unit =
        add(method, MethodType.UNARY) { call, served ->
            OneRequestListener(call, served) { served.send(implementation(it)) }
        }

    /** One request, a flow of responses. */
    public fun <Q, R> serverStreaming(
        method: MethodDescriptor<Q, R>,
        implementation: suspend (request: Q) -> Flow<R>,
    ): Unit =
        add(method, MethodType.SERVER_STREAMING) { call, served ->
            OneRequestListener(call, served) { implementation(it).collect(served::send) }
        }

    /** A flow of requests, one response; the lambda need not collect all of them. */
    public fun <Q, R> clientStreaming(
        method: MethodDescriptor<Q, R>,
        implementation: suspend (requests: Flow<Q>) -> R,
    ): Unit =
        add(method, MethodType.CLIENT_STREAMING) { call, served ->
            RequestFlowListener(call, served) { served.send(implementation(it)) }
        }

    /** A flow of requests, a flow of responses, each at its own pace. */
    public fun <Q, R> bidiStreaming(
        method: MethodDescriptor<Q, R>,
        implementation: suspend (requests: Flow<Q>) -> Flow<R>,
    ): Unit =
        add(method, MethodType.BIDI_STREAMING) { call, served ->
            RequestFlowListener(call, served) { implementation(it).collect(served::send) }
        }

    private fun <Q, R> add(
        method: MethodDescriptor<Q, R>,
        type: MethodType,
        listen: (ServerCall<Q, R>, ServedCall<R>) -> ServerCall.Listener<Q>,
    ) {
        val fullName = method.fullMethodName
        require(method.type == type) { "$fullName is ${method.type}, not $type" }
        require(method.serviceName == name) { "$fullName is not a method of $name" }
        require(fullName !in methods) { "$fullName is defined already" }
        val handler = CoroutineHandler(fullName, context, listen)
        methods[fullName] = ServerMethodDefinition.create(method, handler)
    }

    internal fun build(): ServerServiceDefinition {
        val descriptor = ServiceDescriptor.newBuilder(name).setSchemaDescriptor(schema())
        methods.values.forEach { descriptor.addMethod(it.methodDescriptor) }
        val definition = ServerServiceDefinition.builder(descriptor.build())
        methods.values.forEach { definition.addMethod(it) }
        return definition.build()
    }

    /** What generated methods know of the file that defines them and their service. */
    private fun schema(): Any? =
        methods.values.firstNotNullOfOrNull { it.methodDescriptor.schemaDescriptor }
}

/**
 * Starts the calls of one method. On a server without a [ServiceInterceptor], such as one built in
 * Java, it brings its own, so that failures are mapped and logged everywhere.
 */
internal class CoroutineHandler<Q, R>(
    fullName: String,
    val context: CoroutineContext,
    private val listen: (ServerCall<Q, R>, ServedCall<R>) -> ServerCall.Listener<Q>,
) : ServerCallHandler<Q, R> {
    private val namedContext = CoroutineName(fullName) + context

    override fun startCall(
        call: ServerCall<Q, R>,
        headers: Metadata,
    ): ServerCall.Listener<Q> {
        val callContext =
            CallContext.KEY.get() ?: return DEFAULT_INTERCEPTOR.interceptCall(call, headers, this)
        return start(call, callContext)
    }

    /** Starts a call whose coroutine is to run in gRPC's current context. */
    fun start(
        call: ServerCall<Q, R>,
        callContext: CallContext,
    ): ServerCall.Listener<Q> {
        val elements =
            namedContext + callContext.coroutineContext + ServedCallElement(callContext) +
                GrpcContextElement(Context.current())
        return listen(call, ServedCall(call, elements))
    }

    private companion object {
        val DEFAULT_INTERCEPTOR = ServiceInterceptor()
    }
}
