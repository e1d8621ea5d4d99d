package io.grpcstream.kotlin

import io.grpcstream.kotlin.ConnectionEvent.Closed
import io.grpcstream.kotlin.ConnectionEvent.Opened
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlin.time.Duration

class ConnectionEventsSpec :
    StringSpec({
        timeout = 60_000
        "live connections come first, then what happens" {
            twoHosts { dialer, listener ->
                val first = dialer.connectAndAwait(listener.listenAddresses().first())
                coroutineScope {
                    val events = Channel<ConnectionEvent>(Channel.UNLIMITED)
                    val watching =
                        launch(Dispatchers.Default) {
                            dialer.connectionEvents().collect { events.send(it) }
                        }
                    events.receive() shouldBe Opened(first)
                    first.close()
                    first.awaitClosed()
                    events.receive() shouldBe Closed(first)
                    val second = dialer.connectAndAwait(listener.listenAddresses().first())
                    events.receive() shouldBe Opened(second)
                    watching.cancelAndJoin()
                }
            }
        }

        "no event is missed or told twice while connections come and go" {
            twoHosts { dialer, listener ->
                coroutineScope {
                    val watching =
                        List(20) {
                            async(Dispatchers.Default) { listener.connectionEvents().toList() }
                        }
                    repeat(20) {
                        val connection =
                            dialer.connectAndAwait(listener.listenAddresses().first())
                        connection.close()
                        connection.awaitClosed()
                    }
                    listener.shutdownAndAwait(Duration.ZERO)
                    watching.forEach { watched ->
                        watched.await().groupBy { it.connection }.forEach { (connection, events) ->
                            events shouldContainExactly
                                listOf(Opened(connection), Closed(connection))
                        }
                    }
                }
            }
        }

        "the events of a host that is shut down are over" {
            val host = listeningHost().startAndAwait()
            coroutineScope {
                val watching =
                    async(start = CoroutineStart.UNDISPATCHED) { host.connectionEvents().toList() }
                host.shutdownAndAwait(Duration.ZERO)
                watching.await().shouldBeEmpty()
            }
        }

        "events tell what happened to which connection, and are equal if both are" {
            twoHosts { dialer, listener ->
                val connection = dialer.connectAndAwait(listener.listenAddresses().first())
                Opened(connection) shouldBe Opened(connection)
                Opened(connection).hashCode() shouldBe Opened(connection).hashCode()
                Opened(connection) shouldNotBe Closed(connection)
                "${Opened(connection)}" shouldBe "Opened($connection)"
                val other = listener.awaitConnection()
                Opened(connection) shouldNotBe Opened(other)
            }
        }

        "a connection opens streams, and a known peer is connected once" {
            twoHosts { dialer, listener ->
                listener.handle(PROTOCOL) { }
                val connection = dialer.connectAndAwait(listener.listenAddresses().first())
                dialer.connectAndAwait(listener.peerId()) shouldBeSameInstanceAs connection
                val stream = connection.open(PROTOCOL)
                stream.remotePeer() shouldBe listener.peerId()
                stream.reset()
                stream.awaitClosed()
            }
        }
    })
