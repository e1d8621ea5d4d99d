package io.grpcstream.kotlin

import io.grpcstream.CallScope
import kotlinx.coroutines.ThreadContextElement
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext

/** Enters the [scope] of a call on each thread that runs its coroutine, for as long as it does. */
internal class CallScopeElement(
    private val scope: CallScope,
) : AbstractCoroutineContextElement(CallScopeElement),
    ThreadContextElement<CallScope.Entered> {
    override fun updateThreadContext(context: CoroutineContext): CallScope.Entered = scope.enter()

    override fun restoreThreadContext(
        context: CoroutineContext,
        oldState: CallScope.Entered,
    ): Unit = oldState.close()

    companion object Key : CoroutineContext.Key<CallScopeElement>
}
