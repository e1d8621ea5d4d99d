package io.grpcstream.samples.chat

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.chat.ChatMessage
import io.grpcstream.chat.Here
import io.grpcstream.chat.Member
import io.grpcstream.chat.chatMessage
import io.grpcstream.chat.here
import io.grpcstream.chat.member
import io.grpcstream.chat.others
import io.grpcstream.libp2p.Multiaddr
import io.grpcstream.libp2p.PeerId
import kotlin.jvm.optionals.getOrNull

/** That we are here and reached at [addresses]. */
fun hereMessage(addresses: List<Multiaddr>): ChatMessage =
    chatMessage {
        here =
            here { this.addresses += addresses.take(ChatLimits.ADDRESSES).map { "$it" } }
    }

/** That these peers are in the room, each given by its addresses. */
fun othersMessage(members: List<List<Multiaddr>>): ChatMessage =
    chatMessage {
        others =
            others {
                this.members +=
                    members.map { member { addresses += it.map { address -> "$address" } } }
            }
    }

/** A line that our user typed. */
fun textMessage(line: String): ChatMessage = chatMessage { text = line }

/** The addresses at which [peer] says others reach it: of its own id only, as it proves no other. */
fun Here.addressesOf(peer: PeerId): List<Multiaddr> {
    val addresses = parse(addressesList)
    if (addresses.any { it.peerId().getOrNull() != peer }) {
        throw invalid("an address of another peer than $peer")
    }
    return addresses
}

/** A peer in the room, by its id and addresses; that it is the one there the dial will prove. */
fun Member.peerAndAddresses(): Pair<PeerId, List<Multiaddr>> {
    val addresses = parse(addressesList)
    val peer =
        addresses.mapNotNull { it.peerId().getOrNull() }.distinct().singleOrNull()
            ?: throw invalid("a member whose addresses do not name one peer: $addresses")
    return peer to addresses
}

/** What a peer is told that breaks the rules of the room. */
fun invalid(what: String): StatusException =
    StatusException(Status.INVALID_ARGUMENT.withDescription(what))

private fun parse(addresses: List<String>): List<Multiaddr> {
    if (addresses.size > ChatLimits.ADDRESSES) {
        throw invalid("${addresses.size} addresses of one peer, at most ${ChatLimits.ADDRESSES}")
    }
    return try {
        addresses.map(Multiaddr::parse)
    } catch (e: IllegalArgumentException) {
        throw StatusException(Status.INVALID_ARGUMENT.withDescription(e.message).withCause(e))
    }
}
