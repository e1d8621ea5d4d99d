package io.grpcstream.samples.telemetry.store

import kotlin.time.Duration

/** A store that takes [delay] longer each time: what a busy disk looks like, for the demo and for tests. */
class SlowStore(
    private val store: ReadingStore,
    @Volatile var delay: Duration = Duration.ZERO,
) : ReadingStore by store {
    override fun append(arrivals: List<Arrival>): List<Added> {
        Thread.sleep(delay.inWholeMilliseconds)
        return store.append(arrivals)
    }
}
