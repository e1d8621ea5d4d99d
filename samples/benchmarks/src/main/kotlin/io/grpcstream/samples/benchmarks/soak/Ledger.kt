package io.grpcstream.samples.benchmarks.soak

import io.grpc.Status
import java.util.Collections
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.LongAdder

/** What must not happen, each with the name that the result has. */
internal enum class Fault(
    val title: String,
) {
    LOST("losses"),
    DOUBLED("doubles"),
    REORDERED("reorderings"),
    DAMAGED("damaged"),

    /** Calls that were started and never ended, at either end. */
    ENDLESS("calls-without-an-end"),

    /** Calls that ended twice, or received something after their end. */
    AFTER_THE_END("after-the-end"),

    /** Calls that failed though nothing of what carried them was cut. */
    UNPROVOKED("failures-without-a-cut"),

    /** Calls cut whose status is neither UNAVAILABLE nor, where the caller gave up, CANCELLED. */
    OTHER_STATUS("cut-with-another-status"),

    /** Dials, and shutdowns of hosts and of what they serve, that never ended. */
    STUCK("stuck-dials-and-shutdowns"),
}

/** How much the text of a failure says about whom it concerns. */
internal enum class Naming(
    val title: String,
) {
    PEER_AND_ADDRESS("peer and address"),
    PEER("peer alone"),
    NEITHER("neither"),
}

/** Counts what became of calls; any thread. */
internal class Ledger {
    private val faults = Fault.entries.associateWith { LongAdder() }
    private val statuses = ConcurrentHashMap<Status.Code, LongAdder>()
    private val names = Naming.entries.associateWith { LongAdder() }
    private val texts = ConcurrentHashMap<String, LongAdder>()
    private val open = Collections.newSetFromMap(ConcurrentHashMap<Any, Boolean>())
    private val serving = LongAdder()
    private val messages = LongAdder()
    private val calls = LongAdder()

    fun add(
        fault: Fault,
        times: Int = 1,
    ) = faults.getValue(fault).add(times.toLong())

    /** The same, once, with the first of its kind shown: [of] what, and why. */
    fun add(
        fault: Fault,
        of: String,
        failure: Throwable,
    ) {
        add(fault)
        if (count(fault) <= MOST_SHOWN) {
            println(
                "# ${fault.title}: $of: ${failure.stackTraceToString().trim().lines().joinToString(
                    "\n#   ",
                )}",
            )
        }
    }

    fun add(found: Faults) {
        add(Fault.LOST, found.lost)
        add(Fault.DOUBLED, found.doubled)
        add(Fault.REORDERED, found.reordered)
        add(Fault.DAMAGED, found.damaged)
    }

    /** [call] has begun, and is told by its text if it never ends. */
    fun started(call: Any) {
        calls.increment()
        open += call
    }

    fun received() = messages.increment()

    /** [call] has ended, as it may once. */
    fun ended(
        call: Any,
        status: Status.Code,
    ) {
        statuses.computeIfAbsent(status) { LongAdder() }.increment()
        if (!open.remove(call)) add(Fault.AFTER_THE_END)
    }

    /** A call was cut, and its failure has that text. */
    fun cut(
        text: String,
        peer: String,
    ) {
        val naming =
            when {
                peer in text && ADDRESS in text -> Naming.PEER_AND_ADDRESS
                peer in text -> Naming.PEER
                else -> Naming.NEITHER
            }
        names.getValue(naming).increment()
        val kind = "${naming.title}: ${text.replace(PEER_ID, "<peer>").replace(NUMBER, "<n>")}"
        // Texts are of few kinds; should they not be, this is not where memory is to go.
        if (texts.size < MOST_TEXTS || texts.containsKey(kind)) {
            texts.computeIfAbsent(kind) { LongAdder() }.increment()
        }
    }

    /** The serving end of a call has begun. */
    fun serving() = serving.increment()

    fun served() = serving.decrement()

    /** Calls under way, as their callers see it. */
    fun underWay(): List<Any> = open.toList()

    /** Calls under way at the serving end. */
    fun beingServed(): Long = serving.sum()

    /** Calls started so far. */
    fun calls(): Long = calls.sum()

    /** Messages that callers received. */
    fun messages(): Long = messages.sum()

    fun count(fault: Fault): Long = faults.getValue(fault).sum()

    fun count(naming: Naming): Long = names.getValue(naming).sum()

    fun statuses(): Map<Status.Code, Long> = statuses.mapValues { it.value.sum() }

    /** The texts of failures of calls that were cut, without what varies, most frequent first. */
    fun texts(): List<Pair<String, Long>> =
        texts.map { it.key to it.value.sum() }.sortedByDescending { it.second }

    /** Nothing that must not happen has. */
    fun isClean(): Boolean = Fault.entries.all { count(it) == 0L }

    private companion object {
        const val ADDRESS = "/ip4/127.0.0.1/tcp/"
        const val MOST_TEXTS = 100
        const val MOST_SHOWN = 5
        val PEER_ID = Regex("12D3[A-Za-z0-9]+")
        val NUMBER = Regex("[0-9][0-9,]+")
    }
}
