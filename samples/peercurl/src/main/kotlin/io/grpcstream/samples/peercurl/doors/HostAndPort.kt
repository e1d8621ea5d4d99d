package io.grpcstream.samples.peercurl.doors

import java.net.InetAddress
import java.net.InetSocketAddress

/**
 * `HOST:PORT`, `[IPv6]:PORT`, `:PORT` or `PORT` as people write them; without a host, the loopback
 * address.
 */
internal class HostAndPort private constructor(
    val host: String,
    val port: Int,
) {
    /** Where to listen: blocks to look a name up. */
    fun toListen(): InetSocketAddress = InetSocketAddress(InetAddress.getByName(host), port)

    override fun toString(): String = if (':' in host) "[$host]:$port" else "$host:$port"

    fun toTarget(): TcpTarget = TcpTarget(host, port)

    companion object {
        private const val LOOPBACK = "127.0.0.1"
        private const val MAX_PORT = 65_535

        /**
         * Reads [text].
         *
         * @throws IllegalArgumentException if it is no such address, with what is wrong with it
         */
        fun parse(text: String): HostAndPort {
            val host = text.substringBeforeLast(':', "")
            val port =
                text.substringAfterLast(':').toIntOrNull()?.takeIf { it in 0..MAX_PORT }
                    ?: throw IllegalArgumentException(
                        "\"$text\" names no port: write HOST:PORT, such as 127.0.0.1:50051",
                    )
            val name =
                when {
                    host.isEmpty() -> LOOPBACK

                    host.startsWith('[') && host.endsWith(']') -> host.substring(1, host.length - 1)

                    ':' in host -> throw IllegalArgumentException(
                        "\"$text\" has colons: write [$host]:$port",
                    )

                    else -> host
                }
            return HostAndPort(name, port)
        }
    }
}
