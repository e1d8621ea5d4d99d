package io.grpcstream.samples.interop

import io.grpcstream.kotlin.connectAndAwait
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList

internal suspend fun connect(peer: Peer): String {
    val connection = peer.host().connectAndAwait(peer.address())
    connection.remotePeer() shouldBe peer.id()
    connection.security() shouldBe peer.security()
    connection.muxer() shouldBe "/yamux/1.0.0"
    return connection.run { "${remotePeer()} security=${security()} muxer=${muxer()}" }
}

internal suspend fun unary(peer: Peer): String =
    peer.useGreeter { greeter ->
        val reply = greeter.sayHello(request("Ada")).message
        reply shouldBe "Hello, Ada!"
        reply
    }

internal suspend fun serverStreaming(peer: Peer): String =
    peer.useGreeter { greeter ->
        val replies = greeter.sayHelloStream(request("Ada")).map { it.message }.toList()
        replies shouldBe listOf("Hello, Ada!", "Bonjour, Ada!", "Hej, Ada!")
        replies.joinToString(" ")
    }

internal suspend fun clientStreaming(peer: Peer): String =
    peer.useGreeter { greeter ->
        val names = listOf("Ada", "Grace").asFlow()
        val reply = greeter.sayHelloMany(names.map { request(it) }).message
        reply shouldBe "Hello, Ada and Grace!"
        reply
    }

internal suspend fun bidiStreaming(peer: Peer): String =
    peer.useChat { _, chat ->
        chat.greet("Grace")
        chat.end()
        "greeted Ada, then Grace"
    }
