package io.grpcstream.samples.benchmarks.soak

import io.grpcstream.libp2p.security.tls.TlsSecurity
import io.grpcstream.samples.benchmarks.HostPair
import io.grpcstream.samples.benchmarks.LogLines
import io.grpcstream.samples.benchmarks.format
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicLong
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * Calls of all kinds over both secure channels, while streams, connections and hosts are cut and come
 * back. Every call must end; what arrives must be the messages from the first on, each once and in
 * order, all of them where the call succeeds.
 *
 * What is called and what is cut follows from [seed]; when it meets is up to the machine.
 */
internal class Soak(
    private val seed: Long,
    private val patience: Duration = PATIENCE,
) {
    val ledger = Ledger()
    private val timer = Executors.newSingleThreadScheduledExecutor()
    private val later = Executor { timer.schedule(it, PAUSE_MILLIS, TimeUnit.MILLISECONDS) }
    private val pairs = listOf(HostPair.NOISE, HostPair.TLS).map { SoakPair(it, ledger, later) }
    private val numbers = AtomicLong()
    private val given = mutableSetOf<Any>()
    private var legs = 0

    @Volatile
    private var running = false

    @Volatile
    private var lastLeg = false

    suspend fun start() = pairs.forEach { it.start() }

    /** How often something was cut. */
    fun cuts(): Map<Cut, Long> =
        pairs
            .map { it.cuts() }
            .reduce { one, other -> one.mapValues { (cut, times) -> times + other.getValue(cut) } }

    /** Calls and cuts until [until] returns; then waits until all is at rest. */
    suspend fun leg(until: suspend () -> Unit) = run(until) { }

    /**
     * The same, but for the end: all hosts end while calls are under way, most of them slow, so that
     * much of what has arrived is not taken yet, and nothing else in the process needs what they do.
     */
    suspend fun lastLeg(until: suspend () -> Unit) {
        lastLeg = true
        run(until) { endAll(pairs, it) }
        ledger.add(Fault.ENDLESS, ledger.underWay().size)
        ledger.add(Fault.ENDLESS, ledger.beingServed().toInt())
        timer.shutdownNow()
    }

    private suspend fun run(
        until: suspend () -> Unit,
        atLast: suspend (Random) -> Unit,
    ) = coroutineScope {
        val random = Random(seed + legs++)
        running = true
        val workers =
            pairs.flatMap { pair ->
                List(WORKERS) { number ->
                    val kind = Kind.entries[number % Kind.entries.size]
                    val own = Random(random.nextLong())
                    launch(Dispatchers.Default) { call(pair, kind, own) }
                }
            }
        val cutters =
            pairs.map { pair ->
                val own = Random(random.nextLong())
                launch(Dispatchers.Default) { cut(pair, own) }
            }
        until()
        running = false
        cutters.joinAll()
        atLast(random)
        awaitRest()
        workers.forEach { it.cancelAndJoin() } // Those whose call does not end.
    }

    private suspend fun call(
        pair: SoakPair,
        kind: Kind,
        random: Random,
    ) {
        while (running) {
            val line = pair.line(random)
            if (line == null) {
                delay(DIAL_AGAIN)
            } else {
                val messages = random.nextInt(1, MOST_MESSAGES)
                val plan =
                    Plan(
                        kind,
                        nextNumber(slow = lastLeg && random.nextInt(4) > 0),
                        messages,
                        random.nextInt(1, messages + 1).takeIf { random.nextInt(GIVE_UP) == 0 },
                    )
                val call = SoakCall(plan, line.peer, ledger, later, line::wasCut, line::giveUp)
                call.start(line.channel)
                call.ended.await()
            }
        }
    }

    private fun nextNumber(slow: Boolean): Long {
        var number = numbers.incrementAndGet()
        while (slow && !isSlow(number)) number = numbers.incrementAndGet()
        return number
    }

    private suspend fun cut(
        pair: SoakPair,
        random: Random,
    ) {
        while (running) {
            delay(random.nextInt(LEAST_PAUSE_MILLIS, MOST_PAUSE_MILLIS).milliseconds)
            pair.cut(random)
        }
    }

    /** What does not end is given up once, and told. */
    private suspend fun awaitRest() {
        val begin = TimeSource.Monotonic.markNow()
        while (begin.elapsedNow() < patience) {
            if ((ledger.underWay() - given).isEmpty() && ledger.beingServed() <= given.size) return
            delay(LOOK_AGAIN)
        }
        for (call in ledger.underWay() - given) {
            println("# at rest for $patience, and not ended: $call")
            given += call
        }
        if (ledger.beingServed() > 0) {
            println("# at rest for $patience, and served still: ${ledger.beingServed()}")
        }
    }

    private companion object {
        /** Callers of each pair of hosts. */
        const val WORKERS = 12
        const val MOST_MESSAGES = 300

        /** One call in so many is cancelled on the way. */
        const val GIVE_UP = 20

        /** Of a slow receiver, before each message. */
        const val PAUSE_MILLIS = 10L
        const val LEAST_PAUSE_MILLIS = 20
        const val MOST_PAUSE_MILLIS = 500
        val DIAL_AGAIN = 20.milliseconds
        val LOOK_AGAIN = 20.milliseconds

        /** A slow call takes some seconds; what takes so much longer never ends. */
        val PATIENCE = 120.seconds
    }
}

/** Soaks for so many minutes, and prints what came of it; returns whether it was as it must be. */
internal fun soak(
    minutes: Int,
    seed: Long,
    log: LogLines,
): Boolean {
    println(
        "# soak of $minutes minutes, seed $seed: " +
            "${Runtime.getRuntime().availableProcessors()} cores, JDK ${Runtime.version()}, " +
            "TLS by ${TlsSecurity.bestProvider()}; at rest, after full collections:",
    )
    val trend = Trend()
    val soak = Soak(seed)
    trend.print("before", Resources.now())
    runBlocking {
        soak.start()
        soak.leg { delay(SETTLING) }
        trend.note(0.0)
        repeat(minutes) { minute ->
            soak.leg { delay(1.minutes) }
            trend.note(minute + 1.0)
        }
        soak.lastLeg { delay(SETTLING) }
    }
    trend.print("after the end", Resources.now())
    println("# ${log.count()} lines were logged, of which the first are shown")
    soak.print(trend)
    return soak.ledger.isClean()
}

/** So that what is made once is there when the trend begins. */
private val SETTLING = 10.seconds

private fun Soak.print(trend: Trend) {
    println("# ${ledger.calls()} calls, ${ledger.messages()} messages received by callers")
    println("# ended: " + ledger.statuses().entries.joinToString { "${it.key} ${it.value}" })
    println(
        "# ${cuts().values.sum()} cuts: " +
            cuts().entries.joinToString { (cut, times) ->
                "${cut.name.lowercase().replace('_', ' ')} $times"
            },
    )
    println("# the texts of failures of cut calls, by whom they name:")
    val (nameless, others) = ledger.texts().partition { it.first.startsWith(Naming.NEITHER.title) }
    (others.take(MOST_TEXTS) + nameless).forEach { (text, times) -> println("#   $times $text") }
    Naming.entries.forEach {
        println("soak:naming-${it.title.replace(' ', '-')} ${ledger.count(it)}")
    }
    Resource.entries.forEach { resource ->
        val unit = "${resource.unit} a minute".trim()
        trend.slope(resource)?.let {
            println("# $unit:\nsoak:${resource.title}-slope ${it.format(2)}")
        }
    }
    println("# should all be 0:")
    Fault.entries.forEach { println("soak:${it.title} ${ledger.count(it)}") }
}

private const val MOST_TEXTS = 30
