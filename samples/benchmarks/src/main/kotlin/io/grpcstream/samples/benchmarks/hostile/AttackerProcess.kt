package io.grpcstream.samples.benchmarks.hostile

import io.grpcstream.libp2p.Multiaddr
import java.io.IOException
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference
import kotlin.concurrent.thread
import kotlin.system.exitProcess
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds

/** What an attacker got done in one round. */
internal class Loot(
    val done: Int,
    val refused: Int,
    val elapsed: Duration,
)

/** [attack] carried out by threads of this process, from now until [close]. */
internal class Threads(
    private val attack: Attack,
    target: Target,
) : AutoCloseable {
    private val attacker = attack.open(target)
    private val begun = System.nanoTime()
    private val done = AtomicInteger()
    private val refused = AtomicInteger()
    private val fault = AtomicReference<Throwable>()

    @Volatile
    private var running = true
    private val threads = List(Attacker.THREADS) { thread(name = "attacker-$it") { run(it) } }

    private fun run(number: Int) {
        try {
            while (running) {
                // What holds on to things holds them, and what runs out of ports must not.
                if (done.get() >= attack.most) Thread.sleep(PAUSE_MILLIS) else act(number)
            }
        } catch (e: InterruptedException) {
            check(!running) { "interrupted by nobody: $e" }
        } catch (e: Throwable) {
            if (running) fault.compareAndSet(null, e)
        }
    }

    private fun act(number: Int) {
        try {
            done.addAndGet(attacker.act(number))
        } catch (e: IOException) {
            refused.incrementAndGet()
            if (refused.get() == 1) System.err.println("$attack was refused: $e")
            Thread.sleep(PAUSE_MILLIS)
        }
    }

    fun loot(): Loot {
        fault.get()?.let { throw IllegalStateException("$attack does not work", it) }
        return Loot(done.get(), refused.get(), (System.nanoTime() - begun).nanoseconds)
    }

    override fun close() {
        running = false
        threads.forEach { it.join(PATIENCE_MILLIS) }
        attacker.close()
    }

    private companion object {
        const val PAUSE_MILLIS = 5L
        const val PATIENCE_MILLIS = 30_000L
    }
}

/**
 * The process of the attacker: reads the name of an attack, an address and a protocol from its
 * standard input and begins; answers each later line `loot` with what it got done, and `stop` when it
 * has let go of everything. Ends with its input.
 */
internal fun attackerMain() {
    val (name, address, protocol) = readln().split(' ')
    val attack = checkNotNull(Attack.named(name)) { "no attack is called $name" }
    val threads = Threads(attack, Target(Multiaddr.parse(address), protocol))
    try {
        while (true) {
            when (readlnOrNull() ?: break) {
                "loot" -> {
                    val loot = threads.loot()
                    println("${loot.done} ${loot.refused} ${loot.elapsed.inWholeNanoseconds}")
                }

                "stop" -> {
                    threads.close()
                    println("stopped")
                }
            }
        }
    } catch (e: IllegalStateException) {
        e.printStackTrace()
        exitProcess(1)
    }
    exitProcess(0)
}

/** An attack by a process of its own, so that it shares nothing with the host but the machine. */
internal class AttackerProcess(
    attack: Attack,
    target: Target,
) : AutoCloseable {
    private val process: Process =
        ProcessBuilder(
            ProcessHandle
                .current()
                .info()
                .command()
                .orElseThrow(),
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
            "-cp",
            System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path"),
            "io.grpcstream.samples.benchmarks.BenchmarksKt",
            ATTACKER,
        ).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    private val input = process.outputWriter()
    private val output = process.inputReader()

    init {
        say("${attack.title} ${target.address} ${target.protocol}")
    }

    private fun say(line: String) {
        input.write("$line\n")
        input.flush()
    }

    private fun ask(line: String): String {
        say(line)
        return output.readLine() ?: error("the attacker has ended: ${process.waitFor()}")
    }

    fun loot(): Loot {
        val (done, refused, nanos) = ask("loot").split(' ')
        return Loot(done.toInt(), refused.toInt(), nanos.toLong().nanoseconds)
    }

    /** CPU time used so far, if the system tells. */
    fun cpu(): Duration =
        process
            .info()
            .totalCpuDuration()
            .map { it.toNanos().nanoseconds }
            .orElse(Duration.ZERO)

    /** Lets go of everything that it holds; it stays without doing more. */
    override fun close() {
        try {
            if (process.isAlive) ask("stop")
        } finally {
            input.close()
            process.waitFor()
        }
    }
}

/** The word by which this program is started as an attacker. */
internal const val ATTACKER = "attacker"
