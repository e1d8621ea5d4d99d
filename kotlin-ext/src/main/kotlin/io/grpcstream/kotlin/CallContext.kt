package io.grpcstream.kotlin

import io.grpc.Context
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpcstream.PeerContext
import kotlinx.coroutines.currentCoroutineContext
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext

/**
 * The call that a service coroutine serves: what came with it, and what goes back beside the
 * responses. [currentCall] gives it.
 *
 * [Metadata] is not safe for use by several threads at once: let one coroutine at a time touch
 * [responseHeaders] and [trailers], and change them in the call's coroutine or in children of it
 * that end before it does.
 */
public class CallContext internal constructor(
    /** The method that was called. */
    public val method: MethodDescriptor<*, *>,
    /** The headers of the request. All but the peer's id is the caller's claim. */
    public val headers: Metadata,
    private val caller: PeerContext?,
    internal val coroutineContext: CoroutineContext,
    private val call: ServiceCall<*, *>,
) {
    // Most calls have none of these. Several coroutines of a call may be the first to ask.
    private var madeHeaders: Metadata? = null
    private var madeTrailers: Metadata? = null

    /**
     * Headers of the response, sent before its first message, at the end of a call that succeeds
     * without one, or by [sendHeaders]; later changes have no effect. A call that fails before all
     * that sends none: what must arrive with a failure belongs into the [trailers].
     */
    public val responseHeaders: Metadata
        get() = synchronized(this) { madeHeaders ?: Metadata().also { madeHeaders = it } }

    /** Trailers of the response, sent with its status, whether the call succeeds or fails. */
    public val trailers: Metadata
        get() = synchronized(this) { madeTrailers ?: Metadata().also { madeTrailers = it } }

    /**
     * Who is calling.
     *
     * Fails with [IllegalStateException] if the call did not come over a libp2p stream.
     */
    public val peer: PeerContext
        get() = checkNotNull(caller) { "${method.fullMethodName} came over no libp2p stream" }

    /**
     * Sends the [responseHeaders] now, ahead of any response; without effect once they were sent or
     * the call has ended. For a method with a single response gRPC still holds them until that
     * comes. Safe to call from any thread; it does not wait.
     */
    public fun sendHeaders(): Unit = call.sendHeaders(Metadata())

    internal fun addHeadersTo(headers: Metadata) {
        synchronized(this) { madeHeaders }?.let(headers::merge)
    }

    /** [given], with the [trailers] if there are any; [given] may be another call's, too. */
    internal fun withTrailers(given: Metadata): Metadata {
        val added = synchronized(this) { madeTrailers } ?: return given
        return given.copy().apply { merge(added) }
    }

    override fun toString(): String =
        "${method.fullMethodName}, called by ${caller ?: "a local client"}"

    internal companion object {
        /** For the coroutines of services that get none of our elements. */
        val KEY: Context.Key<CallContext> = Context.key("io.grpcstream.kotlin.call")
    }
}

/** The call that a coroutine of [grpcService] serves: dearer to have in gRPC's context. */
internal class ServedCallElement(
    val call: CallContext,
) : AbstractCoroutineContextElement(ServedCallElement) {
    companion object Key : CoroutineContext.Key<ServedCallElement>
}

/**
 * Who is calling, in the coroutine of any service that a [GrpcStream][io.grpcstream.GrpcStream]
 * serves, generated or from lambdas, of all four kinds, and in all coroutines that inherit its
 * context (`withContext`, `launch`, `flowOn`). The peer id is the one that the handshake proved.
 *
 * Fails with [IllegalStateException] elsewhere.
 */
public suspend fun currentPeer(): PeerContext = PeerContext.current()

/**
 * The call that this coroutine serves; it is there where [currentPeer] is, for all services of
 * [grpcStream] and for those of [grpcService] on any gRPC server.
 *
 * ```
 * unary(GreeterGrpc.getSayHelloMethod()) { request ->
 *     currentCall().responseHeaders.put(SERVER_VERSION, "1.0")
 *     greet(request)
 * }
 * ```
 *
 * Fails with [IllegalStateException] elsewhere.
 */
public suspend fun currentCall(): CallContext =
    checkNotNull(currentCoroutineContext()[ServedCallElement]?.call ?: CallContext.KEY.get()) {
        "no call: this is not a coroutine of a service of grpcService or grpcStream" +
            " (one started in another scope does not inherit the call's context)"
    }
