package io.grpcstream.kotlin

import io.grpcstream.libp2p.Connection
import io.grpcstream.libp2p.ConnectionListener
import io.grpcstream.libp2p.Host
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.SendChannel
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.launch

/**
 * That a connection of a host came or went. Each happens to a connection once, so that two events of
 * one kind about the same connection are equal.
 */
public sealed class ConnectionEvent(
    /** The connection that it is about. */
    public val connection: Connection,
) {
    /** The connection is ready for streams. */
    public class Opened(
        connection: Connection,
    ) : ConnectionEvent(connection)

    /** The connection has ended, and with it all of its streams. */
    public class Closed(
        connection: Connection,
    ) : ConnectionEvent(connection)

    final override fun equals(other: Any?): Boolean =
        other is ConnectionEvent &&
            other.javaClass == javaClass &&
            other.connection == connection

    final override fun hashCode(): Int = 31 * javaClass.hashCode() + connection.hashCode()

    final override fun toString(): String = "${javaClass.simpleName}($connection)"
}

/**
 * The coming and going of this host's connections: first an [Opened][ConnectionEvent.Opened] for each
 * that is live, oldest first, then all that happens from there on. None is missed or told twice, and
 * a connection's `Closed` comes after its `Opened`. The flow is cold, each collector gets all of it,
 * and it completes once the host is shut down.
 *
 * A host does not wait for those who watch it: events that the collector has not taken yet are kept,
 * without a limit. `conflate()` or a `buffer` that drops bounds that, at the price of lost events.
 */
public fun Host.connectionEvents(): Flow<ConnectionEvent> =
    callbackFlow {
        val watch = ConnectionWatch(channel)
        val registration = addListener(watch)
        watch.begin { connections() }
        launch {
            closed().awaitCompletion()
            channel.close()
        }
        awaitClose { registration.close() }
    }.buffer(Channel.UNLIMITED)

/**
 * Merges what a host tells with the list of its connections, which must be asked for after this was
 * registered: then one that is missing from both had ended before.
 */
private class ConnectionWatch(
    private val events: SendChannel<ConnectionEvent>,
) : ConnectionListener {
    private val live = HashSet<Connection>()

    /** While it lists, no event is told: an `Opened` may come from either side, the other is late. */
    @Synchronized
    fun begin(list: () -> List<Connection>) {
        list().forEach(::onConnected)
    }

    @Synchronized
    override fun onConnected(connection: Connection) {
        if (live.add(connection)) {
            events.trySend(ConnectionEvent.Opened(connection))
        }
    }

    @Synchronized
    override fun onDisconnected(connection: Connection) {
        if (live.remove(connection)) {
            events.trySend(ConnectionEvent.Closed(connection))
        }
    }
}
