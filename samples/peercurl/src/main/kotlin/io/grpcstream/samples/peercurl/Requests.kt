package io.grpcstream.samples.peercurl

import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.DynamicMessage
import io.grpcstream.samples.dynamic.JsonException
import io.grpcstream.samples.dynamic.JsonMessages
import io.grpcstream.samples.dynamic.JsonText
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.suspendCancellableCoroutine
import java.io.FileDescriptor
import java.io.FileInputStream
import java.io.IOException
import java.io.InputStreamReader
import java.io.Reader
import java.io.StringReader
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.Executors
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException

/**
 * The requests of a call, from what `-d` says: JSON itself, `@` for the standard input, `@FILE`. Each is
 * there as soon as it was read.
 */
internal class Requests(
    private val data: String?,
    private val type: Descriptor,
    private val messages: JsonMessages,
) {
    /** May be left waiting for input that never comes. */
    private val reader =
        Executors.newSingleThreadExecutor { task ->
            Thread(task, "reads requests").apply { isDaemon = true }
        }

    /** Whether someone types them. */
    val typed: Boolean = data == STDIN && Terminal.isTerminal(Terminal.STDIN)

    /** The one request of a call that takes no more; an empty one if nothing was said. */
    suspend fun single(method: String): DynamicMessage {
        if (data == null) return DynamicMessage.getDefaultInstance(type)
        val text = open()
        val first = text.read(1) ?: return DynamicMessage.getDefaultInstance(type)
        // Who types would have to end the input first.
        if (!typed &&
            text.read(2) != null
        ) {
            throw Failure.usage("$method takes one request, and there is another one")
        }
        return first
    }

    /** The requests of a call that takes any number of them. */
    fun all(): Flow<DynamicMessage> =
        flow {
            if (data != null) {
                val text = open()
                var count = 1
                while (true) emit(text.read(count++) ?: break)
            }
        }

    private suspend fun JsonText.read(number: Int): DynamicMessage? =
        try {
            abandonable { messages.next(this, type) }
        } catch (e: JsonException) {
            val which = if (number == 1) "the request" else "request $number"
            throw Failure.usage("$which is no ${type.fullName}: ${e.message}", e)
        }

    private fun open(): JsonText = JsonText(source(data!!))

    private fun source(data: String): Reader =
        when {
            data == STDIN -> {
                InputStreamReader(FileInputStream(FileDescriptor.`in`), Charsets.UTF_8)
            }

            data.startsWith(STDIN) -> {
                try {
                    Files.newBufferedReader(Path.of(data.substring(1)))
                } catch (e: IOException) {
                    throw Failure.usage("-d $data: ${Failure.textOf(e)}", e)
                }
            }

            else -> {
                StringReader(data)
            }
        }

    /** The result of [read], which blocks: a coroutine that is cancelled does not wait for it. */
    private suspend fun <T> abandonable(read: () -> T): T =
        suspendCancellableCoroutine { continuation ->
            reader.execute {
                try {
                    continuation.resume(read())
                } catch (e: Exception) {
                    continuation.resumeWithException(e)
                }
            }
        }

    private companion object {
        const val STDIN = "@"
    }
}
