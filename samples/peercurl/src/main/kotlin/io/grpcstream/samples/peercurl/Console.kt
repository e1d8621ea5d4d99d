package io.grpcstream.samples.peercurl

import com.google.gson.JsonObject
import com.google.gson.JsonParser
import io.grpcstream.samples.dynamic.terminalSafe
import java.io.FileDescriptor
import java.io.FileOutputStream
import java.io.IOException
import java.io.OutputStream

/**
 * Where commands print: results to the standard output, all else (errors, headers, progress) to the
 * standard error, in colours where a terminal shows them. Thread-safe: lines stay whole.
 *
 * @property json for machines: each result, each error one JSON value on a line of its own
 * @property verbosity how often -v was said
 */
internal class Console(
    val json: Boolean = false,
    val verbosity: Int = 0,
) {
    private val out: OutputStream = FileOutputStream(FileDescriptor.out)
    private val err: OutputStream = FileOutputStream(FileDescriptor.err)
    private var progress: String? = null

    /** The styles of what goes to the standard output. */
    val style: Style = Style(!json && Terminal.colours(Terminal.STDOUT))

    /** The styles of what goes to the standard error. */
    val errStyle: Style = Style(!json && Terminal.colours(Terminal.STDERR))

    val verbose: Boolean get() = verbosity > 0

    /**
     * Prints a line (or several) of results.
     *
     * @throws OutputClosed if nobody reads them
     */
    fun println(text: String) {
        write(out, line(text))
    }

    /** Prints these bytes as they are. */
    fun print(bytes: ByteArray) {
        write(out, bytes)
    }

    /** Prints a line that is no result to the standard error. */
    fun note(text: String) {
        write(err, line(text))
    }

    /** In JSON, what a terminal would obey is an escape. */
    private fun line(text: String): ByteArray =
        "${if (json) terminalSafe(text) else text}\n".toByteArray()

    /** Prints such a line if -v was said. */
    inline fun verbose(text: () -> String) {
        if (verbose) note(text())
    }

    /** Tells why a command fails. */
    fun tell(failure: Failure) {
        if (json) {
            val error = JsonObject()
            failure.status?.let {
                error.addProperty("status", it.name)
                error.addProperty("code", it.value())
            }
            error.addProperty("message", failure.message)
            failure.json.forEach { (name, value) -> error.add(name, JsonParser.parseString(value)) }
            note(JsonObject().apply { add("error", error) }.toString())
        } else {
            val status = failure.status?.let { "${errStyle.bad(it.name)}: " } ?: ""
            note("${errStyle.bad("peercurl:")} $status${plain(failure.message)}")
            failure.details.forEach { note("  ${plain(it)}") }
        }
    }

    /**
     * Shows, on a terminal, what is being waited for, until the result is [closed][AutoCloseable.close]
     * or anything else is printed.
     */
    fun progress(text: String): AutoCloseable {
        if (json || !Terminal.isTerminal(Terminal.STDERR)) return AutoCloseable { }
        synchronized(this) {
            progress = text
            // A longer line could not be taken back.
            val line = text.take(Terminal.columns - 1)
            err.write("\r\u001b[K${errStyle.faint(line)}".toByteArray())
        }
        return AutoCloseable { synchronized(this) { clearProgress() } }
    }

    private fun clearProgress() {
        if (progress != null) err.write("\r\u001b[K".toByteArray())
        progress = null
    }

    private fun write(
        stream: OutputStream,
        text: ByteArray,
    ) {
        synchronized(this) {
            try {
                clearProgress()
                stream.write(text)
            } catch (e: IOException) {
                throw OutputClosed(e)
            }
        }
    }
}

/** Nobody reads what is printed any more: the program ends without a word. */
internal class OutputClosed(
    cause: IOException,
) : RuntimeException(cause)

/** How text stands out on a terminal that knows colours; as it is elsewhere. */
internal class Style(
    private val colours: Boolean,
) {
    /** What a thing is called. */
    fun name(text: String): String = styled("36", text)

    /** Words of the language itself. */
    fun keyword(text: String): String = styled("35", text)

    /** Headings, and what is asked for. */
    fun strong(text: String): String = styled("1", text)

    /** Beside the point. */
    fun faint(text: String): String = styled("2", text)

    fun good(text: String): String = styled("32", text)

    fun bad(text: String): String = styled("1;31", text)

    private fun styled(
        code: String,
        text: String,
    ): String = if (colours) "\u001b[${code}m$text\u001b[0m" else text
}
