package io.grpcstream.kotlin

import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallExecutorSupplier
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asExecutor
import java.util.concurrent.Executor
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext

/**
 * Leaves the calls of [coroutineServices] where they came in, on the event loop, and takes all
 * others, which may block, to the dispatcher of [context]: never to an event loop.
 */
internal class ServiceExecutors(
    private val coroutineServices: Set<String>,
    context: CoroutineContext,
) : ServerCallExecutorSupplier {
    private val forOthers = threadsOf(context).asExecutor()

    /** Null is the server's own executor, the direct one. */
    override fun <Q, R> getExecutor(
        call: ServerCall<Q, R>,
        headers: Metadata,
    ): Executor? = if (call.methodDescriptor.serviceName in coroutineServices) null else forOthers

    private fun threadsOf(context: CoroutineContext): CoroutineDispatcher {
        val given = context[ContinuationInterceptor] as? CoroutineDispatcher
        return given.takeUnless { it === Dispatchers.Unconfined } ?: Dispatchers.IO
    }
}
