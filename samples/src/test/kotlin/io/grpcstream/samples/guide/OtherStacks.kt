package io.grpcstream.samples.guide

import io.grpcstream.kotlin.closeWrite
import io.grpcstream.kotlin.consumeBytes
import io.grpcstream.kotlin.handle
import io.grpcstream.kotlin.open
import io.grpcstream.kotlin.write
import io.grpcstream.kotlin.writeAll
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.PeerId
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.reduce

// guide: other-stacks/bytes
fun serveEcho(
    host: Host,
    scope: CoroutineScope,
) {
    host.handle("/echo/1.0.0", scope) { stream ->
        stream.writeAll(stream.consumeBytes()) // then the stream is closed
    }
}

suspend fun echo(
    host: Host,
    peer: PeerId,
    text: String,
): String {
    val stream = host.open(peer, "/echo/1.0.0")
    stream.write(text.encodeToByteArray())
    stream.closeWrite()
    return stream.consumeBytes().reduce { all, piece -> all + piece }.decodeToString()
}
// end
