package io.grpcstream.kotlin

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Runnable
import kotlin.coroutines.CoroutineContext

/** Runs coroutines on [Dispatchers.Default], except while it is held: then they wait. */
internal class HeldDispatcher : CoroutineDispatcher() {
    private val waiting = mutableListOf<Pair<CoroutineContext, Runnable>>()
    private var held = false

    /** How many dispatches wait. */
    val waitingCount: Int @Synchronized get() = waiting.size

    @Synchronized
    fun hold() {
        held = true
    }

    @Synchronized
    fun release() {
        held = false
        waiting.forEach { (context, block) -> Dispatchers.Default.dispatch(context, block) }
        waiting.clear()
    }

    @Synchronized
    override fun dispatch(
        context: CoroutineContext,
        block: Runnable,
    ) {
        if (held) {
            waiting += context to block
        } else {
            Dispatchers.Default.dispatch(context, block)
        }
    }
}
