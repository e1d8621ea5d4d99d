package io.grpcstream.samples.chat

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.chat.ChatMessage
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.channelFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.yield
import kotlin.random.Random

private const val SCHEDULES = 2_000
private const val LINES = 6

/**
 * Two peers call each other at once, and talk while they settle on one call. The messages of the two
 * calls arrive in every order that the seeds of the schedules give, and in order within each call.
 */
class DuplicateCallsSpec :
    StringSpec({
        "no line is lost, doubled or out of order while two calls become one" {
            repeat(SCHEDULES) { seed ->
                withClue("schedule $seed") { runBlocking { Schedule(Random(seed)).run() } }
            }
        }
    })

/** One order in which things happen, on one thread. */
private class Schedule(
    private val random: Random,
) {
    private val ada = Participant()
    private val grace = Participant()

    suspend fun run() =
        coroutineScope {
            val calls = listOf(Call(ada, grace, this), Call(grace, ada, this))
            val steps = mutableListOf<suspend () -> Unit>()
            repeat(LINES) {
                steps += { ada.say(grace) }
                steps += { grace.say(ada) }
            }
            steps.shuffle(random)
            steps.addAll(random.nextInt(3), calls.map { call -> suspend { call.start() } })

            // Lines are said at any time between deliveries.
            while (steps.isNotEmpty() || calls.any { it.hasNews() }) {
                if (steps.isNotEmpty() && random.nextInt(4) == 0) {
                    steps.removeFirst()()
                } else {
                    calls.random(random).deliverOne(random.nextBoolean())
                    if (steps.isNotEmpty() && calls.none { it.hasNews() }) steps.removeFirst()()
                }
                letAllRun()
            }

            grace.events shouldContainExactly ada.expectedFrom()
            ada.events shouldContainExactly grace.expectedFrom()
            coroutineContext.cancelChildren()
        }

    /** Until each coroutine waits for something: far more turns than any of them takes. */
    private suspend fun letAllRun() = repeat(TURNS) { yield() }

    private companion object {
        const val TURNS = 50
    }
}

/** A peer, what it has said since it met the other, and what it has been shown. */
private class Participant {
    val events = mutableListOf<RoomEvent>()
    val id: PeerId = PeerId.of(PrivateKey.generateEd25519().publicKey())
    val room = Room(id, { emptyList() }, events::add)
    private val said = mutableListOf<String>()
    private var lines = 0

    suspend fun say(other: Participant) {
        val line = "line ${++lines}"
        if (other.id in room) said += line
        room.say(line)
    }

    /** What the other one should have been shown: that we joined once, never left, and all lines. */
    fun expectedFrom(): List<RoomEvent> =
        listOf(RoomEvent.Joined(id)) + said.map { RoomEvent.Said(id, it) }
}

/** A call whose messages arrive when the test says so. */
private class Call(
    private val caller: Participant,
    private val callee: Participant,
    private val scope: CoroutineScope,
) {
    private val requests = Direction()
    private val responses = Direction()

    fun start() {
        scope.launch {
            val conversation = Conversation(callee.id, caller = caller.id)
            conversation.offer(caller.room.here())
            requests.carry(responses) {
                conversation.run { caller.room.hear(conversation, responsesTo(conversation)) }
            }
        }
        scope.launch {
            responses.carry(requests) {
                RoomService(
                    callee.room,
                ).join(caller.id, requests.arriving()).collect(responses::send)
                responses.end()
            }
        }
    }

    fun hasNews(): Boolean = requests.hasNews() || responses.hasNews()

    fun deliverOne(request: Boolean) = (if (request) requests else responses).deliverOne()

    /** As a gRPC client has them: its requests are sent for as long as responses may come. */
    private fun responsesTo(conversation: Conversation): Flow<ChatMessage> =
        channelFlow {
            val sending =
                launch {
                    conversation.outgoing.collect(requests::send)
                    requests.end()
                }
            responses.arriving().collect { send(it) }
            sending.cancel()
        }
}

/** The messages of one side of a call, those under way and those that have arrived. */
private class Direction {
    private val underWay = ArrayDeque<Result<ChatMessage>?>()
    private val arrived = Channel<Result<ChatMessage>?>(Channel.UNLIMITED)

    fun send(message: ChatMessage) {
        underWay += Result.success(message)
    }

    fun end() {
        underWay += null
    }

    fun hasNews(): Boolean = underWay.isNotEmpty()

    fun deliverOne() {
        if (hasNews()) arrived.trySend(underWay.removeFirst())
    }

    fun arriving(): Flow<ChatMessage> =
        flow {
            for (news in arrived) emit((news ?: break).getOrThrow())
        }

    /** Runs one side; that it fails ends the call for the other one too. */
    suspend fun carry(
        other: Direction,
        side: suspend () -> Unit,
    ) {
        try {
            side()
        } catch (e: StatusException) {
            underWay += Result.failure(e)
            other.arrived.trySend(Result.failure(StatusException(Status.CANCELLED)))
        }
    }
}
