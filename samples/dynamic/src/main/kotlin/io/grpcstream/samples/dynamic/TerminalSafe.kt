package io.grpcstream.samples.dynamic

/**
 * The same JSON, without what a terminal would obey: JSON may have as they are the control characters
 * of ISO 8859, and those that turn the direction of text. They stand in strings only, where they become
 * escapes.
 */
fun terminalSafe(json: String): String =
    if (json.none(::isObeyed)) {
        json
    } else {
        buildString {
            for (c in json) if (isObeyed(c)) append("\\u%04x".format(c.code)) else append(c)
        }
    }

private fun isObeyed(c: Char): Boolean =
    c in '\u007f'..'\u009f' || c in '\u202a'..'\u202e' || c in '\u2066'..'\u2069'
