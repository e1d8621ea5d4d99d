package io.grpcstream.samples.chat

import io.grpc.StatusException
import io.grpcstream.chat.ChatMessage
import io.grpcstream.libp2p.Host
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.Stream
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.CopyOnWriteArrayList

/** What a peer does to those that are slow or break the rules of the room. */
class RoomSpec :
    StringSpec({
        val here = hereMessage(emptyList())

        "a peer that does not read is dropped, and another one still hears every line" {
            val events = CopyOnWriteArrayList<RoomEvent>()
            val room = Room(newPeer(), { emptyList() }, events::add)
            val deaf = newPeer().let { Conversation(it, it) }
            val listener = newPeer().let { Conversation(it, it) }
            coroutineScope {
                val hearing = listOf(deaf, listener).map { launch { room.hear(it, staying(here)) } }
                listOf(deaf, listener).forEach { it.awaitEntry() }

                val lines = List(ChatLimits.OUTBOX + 1) { "line $it" }
                val heard = mutableListOf<String>()
                for (line in lines) {
                    room.say(line)
                    heard +=
                        listener.outgoing
                            .filter { it.hasText() }
                            .map { it.text }
                            .take(1)
                            .toList()
                }

                heard shouldContainExactly lines
                (deaf.peer in room) shouldBe false
                (listener.peer in room) shouldBe true
                events.filterIsInstance<RoomEvent.Dropped>().map { it.peer } shouldBe
                    listOf(deaf.peer)
                hearing.forEach { it.cancelAndJoin() }
            }
            events.filterIsInstance<RoomEvent.Left>().map { it.peer } shouldBe listOf(listener.peer)
        }

        "a line that is too long ends the conversation" {
            val long = textMessage("x".repeat(ChatLimits.TEXT_LENGTH + 1))
            refusal(here, long) shouldBe "INVALID_ARGUMENT: a line of 2001 characters, at most 2000"
        }

        "who speaks before saying that it is here is not let in" {
            refusal(textMessage("hi")) shouldBe "INVALID_ARGUMENT: TEXT before HERE"
        }

        "who gives another peer's address as its own is not let in" {
            refusal(hereMessage(listOf(address()))) shouldBe
                "INVALID_ARGUMENT: an address of another peer than $STRANGER"
        }

        "a full room lets nobody in" {
            val room = Room(newPeer(), { emptyList() }, {})
            coroutineScope {
                val hearing =
                    List(ChatLimits.PEERS) {
                        val conversation = newPeer().let { Conversation(it, it) }
                        launch {
                            room.hear(
                                conversation,
                                staying(here),
                            )
                        }.also { conversation.awaitEntry() }
                    }
                hearing shouldHaveSize ChatLimits.PEERS
                refusal(here, room = room) shouldBe "RESOURCE_EXHAUSTED: the room is full: 32 peers"
                hearing.forEach { it.cancelAndJoin() }
            }
        }

        "who calls anew stays by the new call, and the old one ends" {
            val events = CopyOnWriteArrayList<RoomEvent>()
            val room = Room(newPeer(), { emptyList() }, events::add)
            val witness = newPeer().let { Conversation(it, it) }
            val (old, new) = List(2) { Conversation(STRANGER, STRANGER) }
            coroutineScope {
                val hearing = launch { room.hear(witness, staying(here)) }
                witness.awaitEntry()
                val late = CompletableDeferred<ChatMessage>()
                val hearingOld =
                    launch {
                        room.hear(
                            old,
                            flow {
                                emit(here)
                                emit(late.await())
                            },
                        )
                    }
                old.awaitEntry()
                val hearingNew = launch { room.hear(new, staying(here)) }
                new.awaitEntry()

                old.offer(here) shouldBe false
                late.complete(textMessage("late"))
                hearingOld.join()
                events shouldContainExactly
                    listOf(
                        RoomEvent.Joined(witness.peer),
                        RoomEvent.Joined(STRANGER),
                        RoomEvent.Said(STRANGER, "late"),
                    )
                new.offer(here) shouldBe true
                witness.close()
                witness.outgoing.toList().count { it.others.membersCount > 0 } shouldBe 1
                listOf(hearing, hearingNew).forEach { it.cancelAndJoin() }
            }
        }

        "however many strangers a peer tells of, few are dialled at once" {
            val host = HostWhoseDialsHang()
            val room = Room(host.peerId(), { emptyList() }, {})
            coroutineScope {
                val mesh = Mesh(host, room, this) {}
                val meeting = launch { mesh.meetStrangers() }
                repeat(4) {
                    room.hear(
                        newPeer().let { Conversation(it, it) },
                        flow {
                            emit(here)
                            emit(othersMessage(List(ChatLimits.PEERS) { listOf(address()) }))
                        },
                    )
                    repeat(TURNS) { yield() }
                }
                host.dialled shouldBe ChatLimits.PEERS
                meeting.cancelAndJoin()
            }
        }

        "who has entered by the call of the smaller id is refused another one" {
            val (smaller, larger) = listOf(newPeer(), newPeer()).sorted()
            val events = CopyOnWriteArrayList<RoomEvent>()
            val room = Room(smaller, { emptyList() }, events::add)
            coroutineScope {
                val ours = Conversation(larger, caller = smaller)
                val hearing = launch { room.hear(ours, staying(here)) }
                ours.awaitEntry()

                val theirs = Conversation(larger, caller = larger)
                shouldThrow<StatusException> { room.hear(theirs, flowOf(here)) }.message shouldBe
                    "ALREADY_EXISTS: $smaller has called already"
                (larger in room) shouldBe true
                hearing.cancelAndJoin()
            }
            events shouldContainExactly listOf(RoomEvent.Joined(larger), RoomEvent.Left(larger))
        }
    })

private val STRANGER = newPeer()

private fun newPeer(): PeerId = PeerId.of(PrivateKey.generateEd25519().publicKey())

private fun address() = Multiaddr.parse("/ip4/127.0.0.1/tcp/1").withPeerId(newPeer())

/** Enough for all coroutines of a test to wait for something. */
private const val TURNS = 200

/** Counts the dials, none of which ever ends. */
private class HostWhoseDialsHang(
    host: Host = Host.builder().build(),
) : Host by host {
    var dialled = 0

    override fun newStream(
        peer: PeerId,
        vararg protocols: String,
    ): CompletionStage<Stream> {
        dialled++
        return CompletableFuture()
    }
}

/** A peer that says [message] and then stays. */
private fun staying(message: ChatMessage) =
    flow {
        emit(message)
        awaitCancellation()
    }

/** How a room, by default an empty one, refuses the stranger that sends these messages. */
private suspend fun refusal(
    vararg messages: ChatMessage,
    room: Room = Room(newPeer(), { emptyList() }, {}),
): String? {
    val conversation = Conversation(STRANGER, STRANGER)
    val refused = shouldThrow<StatusException> { room.hear(conversation, flowOf(*messages)) }
    (STRANGER in room) shouldBe false
    return refused.message
}
