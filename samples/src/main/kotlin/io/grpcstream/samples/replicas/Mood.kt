package io.grpcstream.samples.replicas

/** How a replica answers, to be changed while it runs: what is typed is the name, such as `slow`. */
enum class Mood(
    /** What is typed. */
    val order: String,
) {
    /** At once. */
    WELL("well"),

    /** After a minute, when nobody waits any more. */
    SLOW("slow"),

    /** Each call with `INTERNAL`. */
    FAILING("failing"),

    /** At once, but it tells those who ask for its health to call others. */
    NOT_SERVING("not-serving"),
    ;

    /** Finds moods. */
    companion object {
        /** The mood that was typed, or null if that is none. */
        fun of(order: String): Mood? = entries.find { it.order == order }
    }
}
