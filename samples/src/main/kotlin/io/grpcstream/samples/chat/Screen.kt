package io.grpcstream.samples.chat

import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId

/**
 * How the room looks on a terminal.
 *
 * @property colour whether the terminal shows colours
 */
class Screen(
    val colour: Boolean,
) {
    /** The last characters of the peer id, in the peer's own colour. The first ones are all alike. */
    fun name(peer: PeerId): String {
        val name = "$peer".takeLast(NAME_LENGTH)
        return if (colour) "\u001b[1;38;5;${colourOf(peer)}m$name\u001b[0m" else name
    }

    /** The line that shows [event]. */
    fun line(event: RoomEvent): String =
        when (event) {
            is RoomEvent.Joined -> {
                notice("${name(event.peer)} joined")
            }

            is RoomEvent.Left -> {
                notice("${name(event.peer)} left")
            }

            is RoomEvent.Said -> {
                "${name(event.peer)}  ${harmless(event.text)}"
            }

            is RoomEvent.Dropped -> {
                notice("${name(event.peer)} dropped: ${harmless(event.reason)}")
            }

            is RoomEvent.Unreachable -> {
                notice("${name(event.peer)} cannot be reached: ${harmless(event.reason)}")
            }
        }

    /** What a user sees first. */
    fun welcome(self: PeerId): String = notice("you are ${name(self)}; Ctrl-D or Ctrl-C leaves")

    /** How others get here. */
    fun invitation(address: Multiaddr): String =
        notice("to join: mvn -q compile -Pchat-join -Dpeer=$address")

    /** A line that is not from a peer. */
    fun notice(text: String): String = "* $text"

    private fun colourOf(peer: PeerId): Int =
        PALETTE[Math.floorMod(peer.bytes().contentHashCode(), PALETTE.size)]

    /** Without what would move the cursor, change colours or turn the writing direction round. */
    private fun harmless(text: String): String =
        text
            .map {
                if (it.isISOControl() || it in TURNING ||
                    it in LINES
                ) {
                    '\uFFFD'
                } else {
                    it
                }
            }.joinToString("")

    private companion object {
        const val NAME_LENGTH = 6

        /** Colours of the 256 that can be read on black and on white. */
        val PALETTE = listOf(31, 34, 37, 62, 97, 125, 130, 133, 136, 160, 166, 172)

        /** Unicode's explicit bidirectional formatting, UAX #9, section 2. */
        val TURNING = ('\u202A'..'\u202E') + ('\u2066'..'\u2069')

        /** Line and paragraph separator. */
        val LINES = '\u2028'..'\u2029'
    }
}
