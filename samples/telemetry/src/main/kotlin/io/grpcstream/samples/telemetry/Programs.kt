package io.grpcstream.samples.telemetry

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.GrpcStream
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.io.IOException
import kotlin.system.exitProcess

/**
 * Runs [program] until it returns or is interrupted (Ctrl-C, SIGTERM), which cancels it. It must not end
 * the process itself, as its end is waited for then.
 */
internal fun run(program: suspend CoroutineScope.() -> Unit) {
    try {
        runBlocking(Dispatchers.Default) {
            val running = launch { program() }
            Runtime.getRuntime().addShutdownHook(Thread { runBlocking { running.cancelAndJoin() } })
        }
    } catch (e: IOException) {
        // No key in the file, no such store, or an address that cannot be had.
        fail(GrpcStream.statusOf(e))
    } catch (e: StatusException) {
        fail(e.status)
    }
}

private fun fail(status: Status): Nothing {
    System.err.println("${status.code}: ${status.description}")
    exitProcess(1)
}
