package io.grpcstream.samples.dynamic

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * What the descriptors of a peer's services may cost this process. They are the peer's word, and
 * building them takes some ten times the memory of their bytes, and time that grows with how often
 * names are looked up.
 *
 * @property bytes of all descriptors together
 * @property files as many of them
 * @property services as many of them
 * @property time for asking the peer
 */
data class SchemaLimits(
    val bytes: Long = 8L shl 20,
    val files: Int = 2_000,
    val services: Int = 1_000,
    val time: Duration = 15.seconds,
) {
    internal companion object {
        /** Of a package, of a name with what is around it, of a file. */
        const val NAME_CHARACTERS = 1_024

        /** Of a name in any of the scopes around it and any of the files imported. */
        const val LOOKUPS = 50_000_000L
    }
}
