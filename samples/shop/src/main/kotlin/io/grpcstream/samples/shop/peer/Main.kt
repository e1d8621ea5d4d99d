package io.grpcstream.samples.shop.peer

import com.zaxxer.hikari.pool.HikariPool.PoolInitializationException
import io.grpcstream.GrpcStream
import io.grpcstream.samples.shop.Settings
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.io.IOException
import kotlin.system.exitProcess

/**
 * Runs a process of the shop by its settings, until it ends or is told to (Ctrl-C, SIGTERM); then
 * calls in flight finish. What is wrong with the settings, or keeps it from starting, it says in a line.
 */
fun shopMain(
    args: Array<String>,
    run: suspend CoroutineScope.(Settings) -> Unit,
) {
    try {
        val settings = Settings.of(args)
        runBlocking {
            val running = launch { run(settings) }
            val end = Thread { runBlocking { running.cancelAndJoin() } }
            Runtime.getRuntime().addShutdownHook(end)
            running.join()
        }
    } catch (e: IllegalArgumentException) {
        fail(2, "${e.message}")
    } catch (e: IOException) {
        val status = GrpcStream.statusOf(e)
        fail(1, "${status.code}: ${status.description}")
    } catch (e: PoolInitializationException) {
        fail(1, "the store is not to be had: ${e.message}")
    }
}

private fun fail(
    exitCode: Int,
    message: String,
): Nothing {
    System.err.println(message)
    exitProcess(exitCode)
}
