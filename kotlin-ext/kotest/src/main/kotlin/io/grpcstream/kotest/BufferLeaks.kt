package io.grpcstream.kotest

import io.netty.buffer.ByteBufAllocator
import io.netty.buffer.ByteBufUtil
import io.netty.util.ResourceLeakDetector
import java.lang.ref.ReferenceQueue
import java.lang.ref.WeakReference
import java.util.concurrent.ConcurrentLinkedQueue

/**
 * Remembers what a leak detector reports.
 *
 * @param track lets the detector track one more object, as it reports only then
 */
internal class BufferLeaks(
    private val track: () -> Unit,
) : ResourceLeakDetector.LeakListener {
    private val found = ConcurrentLinkedQueue<String>()

    override fun onLeak(
        resourceType: String,
        records: String,
    ) {
        found += "a $resourceType was dropped without a release: $records"
    }

    /**
     * Collects garbage, which takes some milliseconds and blocks, and returns the leaks that were
     * reported since the last call.
     */
    fun collect(): List<String> {
        repeat(COLLECTIONS) {
            collectGarbage()
            track()
        }
        return generateSequence(found::poll).toList()
    }

    companion object {
        /** The second one finds what the first has unlinked but not yet handed over. */
        private const val COLLECTIONS = 2
        private const val COLLECTION_TIMEOUT_MILLIS = 5_000L

        /**
         * The leaks of Netty's buffers since this was first asked for; null unless Netty tracks every
         * buffer (leak detection level "paranoid"), as lower levels look at samples.
         */
        val ofNetty: BufferLeaks? by lazy {
            BufferLeaks { ByteBufAllocator.DEFAULT.directBuffer(1).release() }
                .takeIf { ResourceLeakDetector.getLevel() == ResourceLeakDetector.Level.PARANOID }
                ?.also(ByteBufUtil::setLeakListener)
        }

        /** Returns once a collection has really been through the heap. */
        private fun collectGarbage() {
            val queue = ReferenceQueue<Any>()
            val canary = WeakReference(Any(), queue)
            System.gc()
            check(queue.remove(COLLECTION_TIMEOUT_MILLIS) != null) {
                "no garbage collection ran in $COLLECTION_TIMEOUT_MILLIS ms, so buffers cannot be" +
                    " checked (is it disabled by -XX:+DisableExplicitGC?), last seen ${canary.get()}"
            }
        }
    }
}
