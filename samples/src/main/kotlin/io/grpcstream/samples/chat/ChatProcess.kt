package io.grpcstream.samples.chat

import io.grpcstream.samples.SampleProcess

/**
 * A peer that chats in a process of its own.
 *
 * @param arguments those of [main]
 * @param environment what to set for the process beside what this one has
 * @param shown hears each line that the process prints, on a thread of its own
 */
class ChatProcess(
    vararg arguments: String,
    environment: Map<String, String> = emptyMap(),
    shown: (String) -> Unit = {},
) : SampleProcess(MAIN, arguments.asList(), environment, shown) {
    /** The address at which others join it. */
    suspend fun address(): String = await(ADDRESS)

    private companion object {
        const val MAIN = "io.grpcstream.samples.chat.ChatKt"
        val ADDRESS = Regex("-Dpeer=(\\S+)")
    }
}
