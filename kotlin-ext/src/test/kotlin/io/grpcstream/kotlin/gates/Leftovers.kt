package io.grpcstream.kotlin.gates

import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.debug.CoroutineInfo
import kotlinx.coroutines.debug.DebugProbes
import kotlinx.coroutines.delay
import kotlinx.coroutines.job
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.TimeSource

/** The coroutines of this JVM, and the threads of its hosts, at one moment. */
@OptIn(ExperimentalCoroutinesApi::class)
internal class Leftovers private constructor(
    private val coroutines: Set<Job>,
    private val threads: Set<Thread>,
) {
    /**
     * Fails if coroutines or threads that came after this moment do not end within [patience], and
     * names them with their stacks. The calling coroutine and those it is part of may go on.
     */
    suspend fun failIfMore(
        who: String,
        patience: Duration = 1.minutes,
    ) {
        val known = coroutines + currentCoroutineContext().job.andParents()
        val end = TimeSource.Monotonic.markNow() + patience
        while (true) {
            val isLast = end.hasPassedNow()
            val left =
                DebugProbes.dumpCoroutinesInfo().filter { it.job !in known }.map(::describe) +
                    (hostThreads() - threads).map(::describe)
            if (left.isEmpty()) return
            if (isLast) {
                throw AssertionError("$who left ${left.size} behind:\n" + left.joinToString("\n"))
            }
            delay(10.milliseconds)
        }
    }

    companion object {
        /** What there is now; coroutines are seen only in a JVM that runs with the coroutines' agent. */
        fun now(): Leftovers =
            Leftovers(DebugProbes.dumpCoroutinesInfo().mapNotNull { it.job }.toSet(), hostThreads())

        private fun hostThreads(): Set<Thread> =
            Thread.getAllStackTraces().keys.filterTo(mutableSetOf()) {
                it.isAlive && it.name.startsWith("grpcstream-")
            }

        private fun describe(coroutine: CoroutineInfo): String =
            "coroutine $coroutine" + coroutine.lastObservedStackTrace().indented()

        private fun describe(thread: Thread): String =
            "thread ${thread.name} (${thread.state})" + thread.stackTrace.toList().indented()

        private fun List<StackTraceElement>.indented() = joinToString("") { "\n    at $it" }
    }
}

@OptIn(ExperimentalCoroutinesApi::class)
private fun Job.andParents(): Set<Job> = generateSequence(this) { it.parent }.toSet()
