package io.grpcstream.samples.replicas

import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.ConcurrentHashMap
import kotlin.concurrent.thread

/** A network between a caller and the [target] port of this machine, which can be cut and mended. */
internal class CuttableLink(
    private val target: Int,
) : AutoCloseable {
    /** What becomes of bytes. */
    private enum class State {
        WHOLE,

        /** They vanish, and nobody is told. */
        SILENT,

        /** Connections are reset. */
        LOUD,
    }

    private val listening = ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress())
    private val connections = ConcurrentHashMap.newKeySet<Connection>()

    @Volatile
    private var state = State.WHOLE

    /** The port that reaches the target. */
    val port: Int get() = listening.localPort

    init {
        daemon { while (true) accept(listening.accept()) }
    }

    /** From now on what is sent vanishes; connections that lose something by that never recover. */
    fun cutSilently() {
        state = State.SILENT
        connections.forEach { it.lost = true }
    }

    /** Resets all connections, and new ones as soon as they are made. */
    fun cutLoudly() {
        state = State.LOUD
        connections.forEach { it.reset() }
    }

    /** New connections work again. */
    fun mend() {
        state = State.WHOLE
    }

    override fun close() {
        listening.close()
        connections.forEach { it.reset() }
    }

    private fun accept(near: Socket) {
        val connection =
            when (state) {
                State.WHOLE -> Connection(near, Socket(InetAddress.getLoopbackAddress(), target))
                State.SILENT -> Connection(near, null).apply { lost = true }
                State.LOUD -> return near.reset()
            }
        connections += connection
        if (state == State.LOUD) connection.reset() // It was cut meanwhile.
        if (state == State.SILENT) connection.lost = true
        connection.forward()
    }

    /** [far] is null where the target has heard of nothing. */
    private inner class Connection(
        private val near: Socket,
        private val far: Socket?,
    ) {
        /** Whether what is sent vanishes, the end of the connection with it. */
        @Volatile
        var lost = false

        fun forward() {
            daemon { copy(near, far) }
            if (far != null) daemon { copy(far, near) }
        }

        fun reset() {
            connections -= this
            near.reset()
            far?.reset()
        }

        private fun copy(
            from: Socket,
            to: Socket?,
        ) {
            try {
                val bytes = ByteArray(BUFFER)
                while (true) {
                    val count = from.getInputStream().read(bytes)
                    if (count < 0) break
                    if (!lost) to?.getOutputStream()?.write(bytes, 0, count)
                }
                if (!lost) to?.shutdownOutput()
            } catch (_: IOException) {
                if (!lost) reset() // One side has reset it: so hears the other.
            }
        }
    }

    private companion object {
        const val BACKLOG = 50
        const val BUFFER = 16 * 1024

        fun Socket.reset() {
            setSoLinger(true, 0)
            close()
        }

        fun daemon(task: () -> Unit) {
            thread(isDaemon = true, name = "link") {
                try {
                    task()
                } catch (_: IOException) {
                    // The link is closed.
                }
            }
        }
    }
}
