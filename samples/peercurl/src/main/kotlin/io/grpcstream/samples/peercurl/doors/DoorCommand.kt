package io.grpcstream.samples.peercurl.doors

import io.grpcstream.GrpcPeer
import io.grpcstream.kotlin.GrpcPeerBuilder
import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.samples.peercurl.Failure
import io.grpcstream.samples.peercurl.PeercurlCommand
import io.netty.channel.EventLoopGroup
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import picocli.CommandLine.Option
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** What the commands share that open a door, which stays open until Ctrl-C. */
internal abstract class DoorCommand : PeercurlCommand() {
    @Option(
        names = ["--max-connections"],
        paramLabel = "N",
        description = ["Let in so many connections at a time (default: 128, or 1,024)."],
    )
    var maxConnections: Int? = null

    protected val events: DoorConsole by lazy { DoorConsole(console) }

    /** Opens the door of a peer, of whose event loops it may use; returns how it is shut. */
    protected abstract suspend fun open(
        loops: EventLoopGroup,
        peer: GrpcPeer,
    ): suspend (grace: Duration) -> Unit

    /** Options of the peer. */
    protected abstract fun configure(builder: GrpcPeerBuilder)

    override suspend fun CoroutineScope.run(): Int {
        maxConnections?.let {
            if (it <= 0) throw Failure.usage("--max-connections $it: expected a number of them")
        }
        val loops = doorLoops()
        val printing = launch { events.print() }
        try {
            withGrpcPeer({
                configure(this)
                host { eventLoopGroup(loops) }
            }) { peer ->
                val shut = open(loops, peer)
                try {
                    awaitCancellation()
                } finally {
                    withContext(NonCancellable) { shut(GRACE) }
                }
            }
        } finally {
            printing.cancel()
            withContext(NonCancellable) {
                events.flush()
                loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitDone()
            }
        }
    }

    /** The address of a command line. */
    protected fun addressOf(text: String): HostAndPort =
        try {
            HostAndPort.parse(text)
        } catch (e: IllegalArgumentException) {
            throw Failure.usage(e.message.orEmpty(), e)
        }

    private companion object {
        /**
         * What calls get to finish once Ctrl-C has come: the process ends a little later in any
         * case.
         */
        val GRACE = 3.seconds
    }
}
