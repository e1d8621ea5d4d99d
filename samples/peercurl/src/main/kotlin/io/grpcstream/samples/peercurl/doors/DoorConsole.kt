package io.grpcstream.samples.peercurl.doors

import com.google.gson.JsonObject
import io.grpcstream.samples.peercurl.Console
import io.grpcstream.samples.peercurl.plainLine
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.channels.Channel
import java.util.Locale
import kotlin.time.Duration
import kotlin.time.DurationUnit

/**
 * Prints what happens at a door: for people on standard error, refusals and warnings always, all
 * else with -v; for machines all of it as JSON on standard output. What happens on event loops
 * waits here to be printed, and is dropped where nobody reads it as fast, so that a door never
 * waits for a terminal.
 */
internal class DoorConsole(
    private val console: Console,
) : (DoorEvent) -> Unit {
    private val events = Channel<DoorEvent>(CAPACITY, BufferOverflow.DROP_OLDEST)

    /** Whether calls are to be told of. */
    val showsCalls: Boolean get() = console.verbose || console.json

    override fun invoke(event: DoorEvent) {
        events.trySend(event)
    }

    /** Prints until it is cancelled. */
    suspend fun print(): Nothing {
        for (event in events) print(event)
        error("the events of a door do not end")
    }

    /** Prints what is left. */
    fun flush() {
        while (true) print(events.tryReceive().getOrNull() ?: return)
    }

    private fun print(event: DoorEvent) {
        if (console.json) return console.println(json(event).toString())
        when (event) {
            is DoorEvent.Opened -> {
                console.verbose { "#${event.connection} opened from ${event.from}" }
            }

            is DoorEvent.Called -> {
                console.verbose { line(event) }
            }

            is DoorEvent.Closed -> {
                console.verbose {
                    "#${event.connection} closed after ${text(event.duration)}, " +
                        "${event.sent} bytes from the caller, ${event.received} to it" +
                        event.cause?.let { ": ${plainLine(it)}" }.orEmpty()
                }
            }

            is DoorEvent.Refused -> {
                val status = console.errStyle.bad(event.status.code.name)
                console.note(
                    "refused ${event.from}: $status: ${plainLine(
                        event.status.description.orEmpty(),
                    )}",
                )
            }

            is DoorEvent.Warned -> {
                console.note("${console.errStyle.bad("warning:")} ${plainLine(event.text)}")
            }
        }
    }

    private fun line(event: DoorEvent.Called): String {
        val call = event.call
        val style = console.errStyle
        val status = if (call.status.isOk) style.good("OK") else style.bad(call.status.code.name)
        return "#${event.connection} ${style.strong(
            call.method,
        )} $status ${text(call.duration)}, " +
            "${call.sent} bytes sent, ${call.received} received" +
            call.status.description
                ?.takeIf { it.isNotEmpty() }
                ?.let { ": $it" }
                .orEmpty()
    }

    private fun json(event: DoorEvent): JsonObject =
        JsonObject().apply {
            when (event) {
                is DoorEvent.Opened -> {
                    addProperty("event", "opened")
                    addProperty("connection", event.connection)
                    addProperty("from", event.from)
                }

                is DoorEvent.Called -> {
                    addProperty("event", "called")
                    addProperty("connection", event.connection)
                    addProperty("from", event.from)
                    addProperty("method", event.call.method)
                    addProperty("status", event.call.status.code.name)
                    event.call.status.description
                        ?.let { addProperty("message", it) }
                    addProperty("millis", event.call.duration.toDouble(DurationUnit.MILLISECONDS))
                    addProperty("sentBytes", event.call.sent)
                    addProperty("receivedBytes", event.call.received)
                }

                is DoorEvent.Closed -> {
                    addProperty("event", "closed")
                    addProperty("connection", event.connection)
                    addProperty("from", event.from)
                    addProperty("millis", event.duration.toDouble(DurationUnit.MILLISECONDS))
                    addProperty("sentBytes", event.sent)
                    addProperty("receivedBytes", event.received)
                    event.cause?.let { addProperty("cause", it) }
                }

                is DoorEvent.Refused -> {
                    addProperty("event", "refused")
                    addProperty("from", event.from)
                    addProperty("status", event.status.code.name)
                    event.status.description?.let { addProperty("message", it) }
                }

                is DoorEvent.Warned -> {
                    addProperty("event", "warning")
                    addProperty("message", event.text)
                }
            }
        }

    private fun text(duration: Duration): String =
        "%.1f ms".format(Locale.ROOT, duration.toDouble(DurationUnit.MILLISECONDS))

    private companion object {
        const val CAPACITY = 4_096
    }
}
