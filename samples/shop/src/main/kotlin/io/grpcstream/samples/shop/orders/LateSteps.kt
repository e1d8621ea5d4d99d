package io.grpcstream.samples.shop.orders

import kotlinx.coroutines.CompletableDeferred

/** Steps that are known only once the peers that do them are; until then, who asks for one waits. */
internal class LateSteps : Steps {
    private val steps = CompletableDeferred<Steps>()

    /** From now on they are those. */
    fun become(known: Steps) {
        steps.complete(known)
    }

    override suspend fun reserve(order: Order): Reserved = steps.await().reserve(order)

    override suspend fun charge(order: Order): Charged = steps.await().charge(order)

    override suspend fun commit(order: Order): Boolean = steps.await().commit(order)

    override suspend fun release(order: Order) = steps.await().release(order)

    override suspend fun refund(order: Order) = steps.await().refund(order)
}
