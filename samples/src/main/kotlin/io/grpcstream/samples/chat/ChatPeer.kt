package io.grpcstream.samples.chat

import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ReceiveChannel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * A peer in a room: server to those that call it, client of those that it calls.
 *
 * @param listen the address on which others reach it
 * @property screen how it looks
 * @property print shows one line; may block, as a terminal does
 */
class ChatPeer(
    listen: String,
    private val screen: Screen,
    private val print: (String) -> Unit,
) {
    private val host = Host.builder().listen(listen).build()
    private val events = Channel<RoomEvent>(ChatLimits.EVENTS)
    private val room = Room(host.peerId(), host::listenAddresses, events::send)
    private val grpc =
        grpcStream {
            service(RoomService(room))
            configure {
                configureServer { it.maxInboundMessageSize(ChatLimits.MESSAGE_BYTES) }
            }
        }.serve()

    /**
     * Opens a room, or joins that of the peer at [entrance], and says all [lines] there; leaves when
     * they end or the coroutine is cancelled.
     *
     * Fails with [io.grpc.StatusException] if the room cannot be joined.
     */
    suspend fun chat(
        entrance: Multiaddr?,
        lines: ReceiveChannel<String>,
    ) {
        host.handle(Mesh.PROTOCOL, grpc.handler())
        try {
            host.startAndAwait()
            print(screen.welcome(host.peerId()))
            coroutineScope {
                launch { for (event in events) print(screen.line(event)) }
                val mesh = Mesh(host, room, this, events::send)
                launch { mesh.meetStrangers() }
                entrance?.let { mesh.join(it) }
                host.listenAddresses().forEach { print(screen.invitation(it)) }
                sayAll(lines)
                room.leave()
                coroutineContext.cancelChildren()
            }
        } finally {
            withContext(NonCancellable) { close() }
        }
    }

    private suspend fun sayAll(lines: ReceiveChannel<String>) {
        for (line in lines) {
            if (line.length > ChatLimits.TEXT_LENGTH) {
                print(
                    screen.notice(
                        "not sent: ${line.length} characters, at most ${ChatLimits.TEXT_LENGTH}",
                    ),
                )
            } else if (line.isNotBlank()) {
                room.say(line)
                delay(ChatLimits.PACE)
            }
        }
    }

    private suspend fun close() {
        room.leave()
        events.cancel()
        grpc.shutdownAndAwait(ChatLimits.GOODBYE)
        host.shutdownAndAwait(ChatLimits.GOODBYE)
    }
}
