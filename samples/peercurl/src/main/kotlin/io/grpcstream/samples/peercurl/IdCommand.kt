package io.grpcstream.samples.peercurl

import com.google.gson.JsonArray
import com.google.gson.JsonObject
import io.grpcstream.libp2p.Connection
import io.grpcstream.libp2p.PeerInfo
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.future.await
import picocli.CommandLine.Command
import java.time.Duration
import kotlin.time.Duration.Companion.seconds

/** Who a peer is. */
@Command(
    name = "id",
    header = ["Show who a peer is, and how it was reached."],
    description = [
        "The ADDRESS need not name the peer here: then whoever answers there is shown.",
    ],
)
internal class IdCommand : DialingCommand() {
    override suspend fun CoroutineScope.run(): Int =
        withHost { peer ->
            val connection = peer.connect()
            val roundTrip = peer.host().ping(connection.remotePeer())
            val info = connection.awaitPeerInfo(IDENTIFY_TIME)
            val took = roundTrip.await()
            if (console.json) {
                console.println(
                    json(connection, took, info),
                )
            } else {
                show(connection, took, info)
            }
            Exit.OK
        }

    private fun show(
        connection: Connection,
        roundTrip: Duration,
        info: PeerInfo?,
    ) {
        row("peer", console.style.strong(connection.remotePeer().toString()))
        row("reached at", connection.remoteAddress().toString())
        row("proven by", connection.security())
        row("muxer", connection.muxer())
        row("round trip", milliseconds(roundTrip))
        if (info == null) {
            console.note("it has told nothing of itself (no identify)")
            return
        }
        row("agent", plainLine(info.agentVersion))
        if (info.protocolVersion.isNotEmpty()) row("version", plainLine(info.protocolVersion))
        info.observedAddress?.let { row("sees us at", it.toString()) }
        rows("listens at", info.listenAddresses.map { it.toString() })
        rows("protocols", info.protocols.map(::plainLine).sorted())
    }

    private fun rows(
        name: String,
        values: List<String>,
    ) {
        if (values.isEmpty()) row(name, console.style.faint("none"))
        values.forEachIndexed { index, value -> row(if (index == 0) name else "", value) }
    }

    private fun row(
        name: String,
        value: String,
    ) = console.println(console.style.faint(name.padEnd(NAME_WIDTH)) + value)

    private fun json(
        connection: Connection,
        roundTrip: Duration,
        info: PeerInfo?,
    ): String =
        JsonObject()
            .apply {
                addProperty("peer", connection.remotePeer().toString())
                addProperty("address", connection.remoteAddress().toString())
                addProperty("security", connection.security())
                addProperty("muxer", connection.muxer())
                addProperty("roundTripMillis", roundTrip.toNanos() / NANOS_PER_MILLI)
                if (info != null) {
                    addProperty("agent", info.agentVersion)
                    addProperty("protocolVersion", info.protocolVersion)
                    info.observedAddress?.let { addProperty("observedAddress", it.toString()) }
                    add("listenAddresses", array(info.listenAddresses))
                    add("protocols", array(info.protocols))
                }
            }.toString()

    private fun array(values: List<Any>) =
        JsonArray().apply { values.forEach { add(it.toString()) } }

    private companion object {
        const val NAME_WIDTH = 12
        val IDENTIFY_TIME = 5.seconds
    }
}
