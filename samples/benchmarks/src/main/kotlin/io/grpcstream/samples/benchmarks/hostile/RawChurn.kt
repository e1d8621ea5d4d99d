package io.grpcstream.samples.benchmarks.hostile

import java.io.DataInputStream
import java.io.EOFException
import java.net.InetSocketAddress
import java.net.Socket
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicInteger
import javax.net.ssl.SSLContext

/** How far a connection gets before the attacker leaves it. */
internal enum class RawStage(
    private val act: (Socket) -> Unit,
) {
    CONNECTED({ }),
    HALF_MULTISTREAM({ it.send(multistream(MULTISTREAM).copyOf(10)) }),

    /** Half of the first message: 32 bytes behind their length. */
    HALF_NOISE({
        it.agreeOn("/noise")
        it.send(byteArrayOf(0, 32) + ByteArray(16) { 7 })
    }),
    HALF_CLIENT_HELLO({
        it.agreeOn("/tls/1.0.0")
        it.send(HELLO.copyOf(HELLO.size / 2))
    }),
    ;

    fun on(socket: Socket) = act(socket)
}

private const val MULTISTREAM = "/multistream/1.0.0"

/** The first message of TLS 1.3, by the JDK. */
private val HELLO: ByteArray =
    SSLContext.getInstance("TLS").run {
        init(null, null, null)
        val engine = createSSLEngine()
        engine.useClientMode = true
        engine.enabledProtocols = arrayOf("TLSv1.3")
        val hello = ByteBuffer.allocate(engine.session.packetBufferSize)
        engine.wrap(ByteBuffer.allocate(0), hello)
        hello.array().copyOf(hello.position())
    }

private fun multistream(text: String): ByteArray =
    byteArrayOf((text.length + 1).toByte()) + "$text\n".toByteArray()

private fun Socket.send(bytes: ByteArray) = getOutputStream().write(bytes)

/** Negotiates as an honest dialler does, and reads the host's agreement. */
private fun Socket.agreeOn(protocol: String) {
    val said = multistream(MULTISTREAM) + multistream(protocol)
    send(said)
    val answer = ByteArray(said.size)
    DataInputStream(getInputStream()).readFully(answer)
    if (!answer.contentEquals(said)) throw EOFException("the host does not agree on $protocol")
}

/** Connects, goes on to [stage], and leaves: mostly by a reset, in one of eight by an orderly end. */
internal class RawChurn(
    target: Target,
    private val stage: RawStage,
) : Attacker {
    private val address =
        InetSocketAddress(
            "127.0.0.1",
            target.address
                .value("tcp")
                .orElseThrow()
                .toInt(),
        )
    private val number = AtomicInteger()

    override fun act(thread: Int): Int {
        Socket().use { socket ->
            // An orderly end keeps the attacker's port for a minute: it would run out of them.
            if (number.incrementAndGet() % ORDERLY != 0) socket.setSoLinger(true, 0)
            socket.soTimeout = TIMEOUT_MILLIS
            socket.tcpNoDelay = true
            socket.connect(address, TIMEOUT_MILLIS)
            stage.on(socket)
        }
        return 1
    }

    private companion object {
        const val ORDERLY = 8
        const val TIMEOUT_MILLIS = 20_000
    }
}
