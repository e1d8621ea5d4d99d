package consumer

import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.bidiStreaming
import io.grpcstream.kotlin.currentPeer
import io.grpcstream.kotlin.grpcService
import io.grpcstream.kotlin.unary
import io.grpcstream.kotlin.withDeadline
import io.grpcstream.kotlin.withGrpcPeer
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import kotlin.time.Duration.Companion.minutes

private val greeter =
    grpcService("greeter.Greeter") {
        unary(GreeterGrpc.getSayHelloMethod()) { request -> greet(request) }
        bidiStreaming(GreeterGrpc.getChatMethod()) { requests -> requests.map { greet(it) } }
    }

private suspend fun greet(request: HelloRequest) =
    helloReply { message = "Hello, ${request.name} at ${currentPeer().peerId()}" }

/** Two peers, of which one calls the other. */
fun main(): Unit =
    runBlocking {
        withGrpcPeer({
            listen("/ip4/127.0.0.1/tcp/0")
            serve { service(greeter) }
        }) { server ->
            withGrpcPeer({ }) { client ->
                val channel = client.channel("libp2p:${server.addresses().first()}")
                val names = listOf("Ada", "Grace")
                val requests = names.map { helloRequest { name = it } }
                val replies =
                    withDeadline(1.minutes) {
                        listOf(channel.unary(GreeterGrpc.getSayHelloMethod(), requests.first())) +
                            channel.bidiStreaming(GreeterGrpc.getChatMethod(), requests.asFlow()).toList()
                    }
                val expected = (names.take(1) + names).map { "Hello, $it at ${client.peerId()}" }
                check(replies.map { it.message } == expected) { "got $replies" }
            }
        }
    }
