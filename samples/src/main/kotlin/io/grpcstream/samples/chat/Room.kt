package io.grpcstream.samples.chat

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.chat.ChatMessage
import io.grpcstream.chat.ChatMessage.ContentCase
import io.grpcstream.chat.Here
import io.grpcstream.chat.Others
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ReceiveChannel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/**
 * The room as one peer sees it: the peers that it has met, with one conversation each.
 *
 * Whoever enters is told who else is there, and those are told of the newcomer; each dials whom it
 * has not met. So any two peers that know a third one meet, whichever came first. Often both dial:
 * of such duplicate calls that of the peer with the smaller id stays. Each side speaks in it as
 * soon as it has entered it, and ends the other call once it knows that its peer has done so too;
 * what was said in that one until then it hears first.
 *
 * All functions may be called from any thread.
 *
 * @property self the peer whose view this is
 * @param addresses where others reach it
 * @param tell hears what happens, one event of a peer after the other; while it suspends, that
 *     peer is not read from
 */
class Room(
    val self: PeerId,
    private val addresses: () -> List<Multiaddr>,
    private val tell: suspend (RoomEvent) -> Unit,
) {
    private val members = LinkedHashMap<PeerId, Conversation>() // guarded by itself
    private val conversations = HashSet<Conversation>() // that are heard; guarded by members
    private val unmet = Channel<Pair<PeerId, List<Multiaddr>>>(ChatLimits.PEERS)

    @Volatile
    private var leaving = false

    /** Peers that others have told us of and that we have not met. */
    val strangers: ReceiveChannel<Pair<PeerId, List<Multiaddr>>> get() = unmet

    /** Whether we have met [peer] and it is still there. */
    operator fun contains(peer: PeerId): Boolean = synchronized(members) { peer in members }

    /** That we are here, as a peer is told first. */
    fun here(): ChatMessage = hereMessage(addresses())

    /**
     * Says [line] to all who are here. Never waits for anyone: a peer for which too much waits to be
     * sent is parted with.
     */
    suspend fun say(line: String) {
        val message = textMessage(line)
        val slow = synchronized(members) { members.values.filterNot { it.offer(message) } }
        for (conversation in slow) {
            val reason = "reads too slowly: ${ChatLimits.OUTBOX} messages wait for it"
            if (remove(conversation)) {
                conversation.cut(Status.RESOURCE_EXHAUSTED.withDescription(reason))
                tell(RoomEvent.Dropped(conversation.peer, reason))
            }
        }
    }

    /** Takes in what the peer sends, from its first word until its half of the call ends. */
    suspend fun hear(
        conversation: Conversation,
        incoming: Flow<ChatMessage>,
    ) {
        synchronized(members) { conversations += conversation }
        try {
            incoming.collect { message ->
                if (conversation.hasEntered) {
                    endReplaced(conversation)
                    take(conversation.peer, message)
                } else {
                    enter(conversation, message)
                }
            }
        } finally {
            val wasMember = remove(conversation)
            synchronized(members) { conversations -= conversation }
            conversation.close()
            if (wasMember) {
                replacedBy(conversation).forEach(Conversation::close)
                if (!leaving) {
                    withContext(NonCancellable) { tell(RoomEvent.Left(conversation.peer)) }
                }
            }
        }
    }

    /**
     * Ends the calls that [conversation] replaces, and waits until what was said in them has been
     * heard. To be called with its second message: that tells that both have entered it.
     */
    private suspend fun endReplaced(conversation: Conversation) {
        if (synchronized(members) { members[conversation.peer] } !== conversation) {
            return // It was replaced itself, and what it still brings must not end the other one.
        }
        val replaced = replacedBy(conversation)
        replaced.forEach(Conversation::close)
        withTimeoutOrNull(ChatLimits.GOODBYE) { replaced.forEach { it.awaitEnd() } }
    }

    private fun replacedBy(conversation: Conversation): List<Conversation> =
        synchronized(members) {
            conversations.filter {
                it !== conversation && it.peer == conversation.peer &&
                    it.caller >= conversation.caller
            }
        }

    /** Leaves: lets nobody in any more, and parts with all as soon as they have our last words. */
    suspend fun leave() {
        val all =
            synchronized(members) {
                leaving = true
                members.values.toList()
            }
        all.forEach(Conversation::close)
        withTimeoutOrNull(ChatLimits.GOODBYE) { all.forEach { it.awaitEnd() } }
    }

    private suspend fun enter(
        conversation: Conversation,
        message: ChatMessage,
    ) {
        if (message.contentCase != ContentCase.HERE) {
            throw invalid("${message.contentCase} before HERE")
        }
        val isNew = admit(conversation, message.here)
        conversation.entered()
        if (isNew) {
            tell(RoomEvent.Joined(conversation.peer))
        }
    }

    /**
     * Returns whether the peer is new, rather than one that we have met by another call. A call of
     * ours that comes second is only heard: the peer speaks in it until it enters the other one.
     */
    private fun admit(
        conversation: Conversation,
        here: Here,
    ): Boolean {
        conversation.addresses = here.addressesOf(conversation.peer)
        synchronized(members) {
            val other = members[conversation.peer]
            val comesSecond = other != null && conversation.caller > other.caller
            checkAdmission(conversation, comesSecond, isNew = other == null)
            if (comesSecond) {
                return false
            }
            val present = members.values.filter { it !== other }
            if (conversation.caller != self) {
                conversation.offer(here()) // The caller's first message is on its way already.
            }
            conversation.offer(othersMessage(present.map { it.addresses }))
            if (other == null) {
                present.forEach { it.offer(othersMessage(listOf(conversation.addresses))) }
            } else if (other.caller == conversation.caller) {
                other.close() // Its caller has given it up, or is out for many.
            }
            members[conversation.peer] = conversation
            return other == null
        }
    }

    private fun checkAdmission(
        conversation: Conversation,
        comesSecond: Boolean,
        isNew: Boolean,
    ) {
        val refusal =
            when {
                leaving -> {
                    Status.UNAVAILABLE.withDescription("$self leaves the room")
                }

                conversation.peer == self -> {
                    Status.INVALID_ARGUMENT.withDescription("$self is this peer itself")
                }

                comesSecond && conversation.caller != self -> {
                    Status.ALREADY_EXISTS.withDescription("$self has called already")
                }

                isNew && members.size >= ChatLimits.PEERS -> {
                    Status.RESOURCE_EXHAUSTED.withDescription(
                        "the room is full: ${ChatLimits.PEERS} peers",
                    )
                }

                else -> {
                    return
                }
            }
        throw StatusException(refusal)
    }

    private suspend fun take(
        peer: PeerId,
        message: ChatMessage,
    ) {
        when (message.contentCase) {
            ContentCase.TEXT -> {
                val length = message.text.length
                if (length > ChatLimits.TEXT_LENGTH) {
                    throw invalid("a line of $length characters, at most ${ChatLimits.TEXT_LENGTH}")
                }
                tell(RoomEvent.Said(peer, message.text))
            }

            ContentCase.OTHERS -> {
                meet(message.others)
            }

            else -> {
                throw invalid("${message.contentCase} after HERE")
            }
        }
    }

    private fun meet(others: Others) {
        if (others.membersCount > ChatLimits.PEERS) {
            throw invalid("${others.membersCount} peers, at most ${ChatLimits.PEERS}")
        }
        for ((peer, addresses) in others.membersList.map { it.peerAndAddresses() }) {
            if (peer != self && peer !in this) {
                unmet.trySend(peer to addresses) // Full: more than a room of them is on its way.
            }
        }
    }

    private fun remove(conversation: Conversation): Boolean =
        synchronized(members) { members.remove(conversation.peer, conversation) }
}
