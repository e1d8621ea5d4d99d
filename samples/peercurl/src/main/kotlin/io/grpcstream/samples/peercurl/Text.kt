package io.grpcstream.samples.peercurl

import java.time.Duration
import java.util.Locale

internal const val NANOS_PER_MILLI = 1e6

/** A time such as `0.42 ms`. */
internal fun milliseconds(time: Duration): String = milliseconds(time.toNanos())

internal fun milliseconds(nanos: Long): String {
    val millis = nanos / NANOS_PER_MILLI
    val digits =
        when {
            millis < 10 -> 2
            millis < 100 -> 1
            else -> 0
        }
    return String.format(Locale.ROOT, "%.${digits}f ms", millis)
}

/**
 * What a peer says, as a terminal may show it: without the control characters by which it would move
 * the cursor, or change colours and titles.
 */
internal fun plain(text: String): String =
    if (text.none(::isControl)) {
        text
    } else {
        text
            .map {
                if (isControl(it)) '\uFFFD' else it
            }.joinToString("")
    }

/**
 * The same of what is to stay within its line: a peer must not add lines that look like peercurl's own.
 */
internal fun plainLine(text: String): String = plain(text).replace('\n', '\uFFFD')

private fun isControl(c: Char): Boolean =
    (c != '\n' && c != '\t' && c.isISOControl()) || c in OVERRIDES || c in ISOLATES

/** They turn the direction of the text behind them. */
private val OVERRIDES = '\u202a'..'\u202e'
private val ISOLATES = '\u2066'..'\u2069'
