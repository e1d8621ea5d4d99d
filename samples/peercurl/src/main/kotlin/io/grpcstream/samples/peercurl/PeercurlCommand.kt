package io.grpcstream.samples.peercurl

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import picocli.CommandLine.Mixin
import java.util.concurrent.Callable
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/** What all commands share: how they run in coroutines, fail, and end by Ctrl-C. */
internal abstract class PeercurlCommand : Callable<Int> {
    @Mixin
    lateinit var output: OutputOptions

    protected val console: Console get() = output.console

    /**
     * Does the command's work, and returns the exit code. Ctrl-C cancels it. What it throws ends the
     * program: a [Failure], a gRPC status and failures of libp2p and of files with their exit codes,
     * all else as a fault of this program.
     */
    protected abstract suspend fun CoroutineScope.run(): Int

    /** Called once Ctrl-C has cancelled [run] and it has ended: what is left to say, and the exit code. */
    protected open fun interrupted(): Int = Exit.INTERRUPTED

    final override fun call(): Int {
        Logging.configure(console.verbosity)
        val interruption = Interruption()
        var exit = Exit.FAILURE
        try {
            exit = run(interruption)
        } catch (e: OutputClosed) {
            exit = Exit.OUTPUT_CLOSED
        } finally {
            interruption.done(exit)
        }
        return exit
    }

    private fun run(interruption: Interruption): Int =
        try {
            runBlocking {
                interruption.cancels(coroutineContext[Job]!!)
                withContext(Dispatchers.Default) { run() }
            }
        } catch (e: CancellationException) {
            if (interruption.hasCome) interrupted() else fail(e)
        } catch (e: OutputClosed) {
            throw e
        } catch (e: Exception) {
            fail(e)
        }

    private fun fail(failure: Exception): Int {
        val told = Failure.of(failure)
        if (told == null) {
            console.note(failure.stackTraceToString())
            console.tell(Failure("a fault of peercurl's own: $failure"))
            return Exit.FAILURE
        }
        console.tell(told)
        if (console.verbosity > 1) console.note(failure.stackTraceToString())
        return told.exit
    }
}

/**
 * Turns Ctrl-C (and SIGTERM) into the cancellation of a job: the JVM's exit waits until that has ended,
 * and takes its exit code.
 */
private class Interruption {
    private val ended = CountDownLatch(1)

    @Volatile private var exit = Exit.INTERRUPTED

    @Volatile var hasCome = false
        private set

    fun cancels(job: Job) {
        val hook =
            Thread {
                if (ended.count == 0L) return@Thread // An exit like any other.
                hasCome = true
                job.cancel()
                if (ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS) && exit != Exit.INTERRUPTED) {
                    Runtime.getRuntime().halt(exit)
                }
            }
        Runtime.getRuntime().addShutdownHook(hook)
    }

    fun done(exit: Int) {
        this.exit = exit
        ended.countDown()
    }

    private companion object {
        const val PATIENCE_SECONDS = 5L
    }
}

/** What libraries log, of which a user at a terminal sees what he asks for. */
private object Logging {
    private const val LEVEL = "org.slf4j.simpleLogger.defaultLogLevel"

    /** Must come before the first logger is made. */
    fun configure(verbosity: Int) {
        if (System.getProperty(LEVEL) != null) return
        when (verbosity) {
            0 -> Unit
            1 -> System.setProperty(LEVEL, "warn")
            else -> System.setProperty(LEVEL, "debug")
        }
    }
}
