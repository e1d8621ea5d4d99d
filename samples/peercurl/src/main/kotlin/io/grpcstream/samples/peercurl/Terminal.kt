package io.grpcstream.samples.peercurl

/**
 * Which of the program's streams are terminals. Java cannot say it of each; the script that starts it
 * can, and does by the property `peercurl.terminals`, the numbers of those that are.
 */
internal object Terminal {
    const val STDIN = 0
    const val STDOUT = 1
    const val STDERR = 2

    /** As wide as help may be. A shell tells it only if it is asked to; asking the system takes a process. */
    val columns: Int
        get() = System.getenv("COLUMNS")?.toIntOrNull()?.coerceIn(60, 120) ?: 80

    private val terminals: String = System.getProperty("peercurl.terminals", "")

    /** Whether someone sits at the other end of this stream. */
    fun isTerminal(stream: Int): Boolean = stream.digitToChar() in terminals

    /** Whether what is written there may be coloured; see no-color.org. */
    fun colours(stream: Int): Boolean =
        isTerminal(stream) &&
            System.getenv("NO_COLOR").isNullOrEmpty() &&
            System.getenv("TERM") != "dumb"
}
