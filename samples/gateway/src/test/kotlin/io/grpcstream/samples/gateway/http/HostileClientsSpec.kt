// Examples of HTTP and of JSON are lines as they are.
@file:Suppress("ktlint:standard:max-line-length")

package io.grpcstream.samples.gateway.http

import io.grpcstream.samples.gateway.Actor
import io.grpcstream.samples.gateway.GatewayLimits
import io.grpcstream.samples.gateway.onStage
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withTimeout
import java.net.SocketException
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class HostileClientsSpec :
    StringSpec({
        val call = "/peers/peer0/greeter.Greeter/SayHello"

        "bodies that are too large are refused, whether their length is told or not" {
            onStage(
                Actor(),
                configure = { limits = GatewayLimits(requestBytes = 10_000) },
            ) { stage ->
                val big = "x".repeat(20_000)
                stage.post(call, big).let {
                    it.statusCode() shouldBe 413
                    it.body() shouldContain "20000 bytes, the gateway takes 10000"
                }
                val chunked =
                    stage
                        .request(call, "content-type", "application/json")
                        .POST(BodyPublishers.ofInputStream { big.byteInputStream() })
                stage.send(chunked, BodyHandlers.ofString()).statusCode() shouldBe 413
                val web = stage.post(call, "application/grpc-web", big.toByteArray())
                web.statusCode() shouldBe 200
                web.body().decodeToString() shouldContain "grpc-status: 8"
                stage.post(call, """{"name": "Ada"}""").statusCode() shouldBe 200
            }
        }

        "bodies of all requests together are bounded" {
            onStage(Actor(), configure = {
                limits =
                    GatewayLimits(requestBytes = 10_000, allRequestsBytes = 15_000)
            }) { stage ->
                RawClient(stage.gateway.uri).use { holder ->
                    holder.send(
                        "POST $call HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 10000\r\n\r\n" +
                            " ".repeat(9_999),
                    )
                    eventually(20.seconds) {
                        stage.post(call, " ".repeat(9_000) + "{}").statusCode() shouldBe
                            503
                    }
                }
                eventually(20.seconds) {
                    stage.post(call, " ".repeat(9_000) + "{}").statusCode() shouldBe
                        200
                }
            }
        }

        "what is no JSON, or not the method's, is told so" {
            onStage(Actor()) { stage ->
                val deep = "{\"name\":".repeat(5_000)
                for (body in listOf(
                    "{",
                    "[]",
                    "7",
                    """{"nam": "Ada"}""",
                    """{"name": 1""",
                    """{"name": {}}""",
                    deep,
                    "\u0000",
                )) {
                    val response = stage.post(call, body)
                    withClue(body.take(40)) { response.statusCode() shouldBe 400 }
                    response.body() shouldContain "INVALID_ARGUMENT"
                }
                stage
                    .post(
                        "/peers/peer0/greeter.Greeter/Chat",
                        """{"name": "Ada"} {""",
                    ).statusCode() shouldBe
                    400
                stage.post("/peers/peer0/greeter.Greeter/Nothing", "{}").statusCode() shouldBe 404
                stage.post("/peers/peer0/", "{}").statusCode() shouldBe 404
                stage.post("/peers/nobody/greeter.Greeter/SayHello", "{}").statusCode() shouldBe 404
                stage.get(call).statusCode() shouldBe 405
                stage
                    .send(
                        stage
                            .request(
                                call,
                                "content-type",
                                "text/plain",
                            ).POST(BodyPublishers.ofString("{}")),
                        BodyHandlers.ofString(),
                    ).statusCode() shouldBe 415
            }
        }

        "a client that sends its headers byte by byte, or nothing, is cut" {
            onStage(
                Actor(),
                configure = { limits = GatewayLimits(idle = 500.milliseconds) },
            ) { stage ->
                RawClient(stage.gateway.uri).use { client ->
                    var cut = false
                    withTimeout(20.seconds) {
                        while (!cut) {
                            cut =
                                try {
                                    client.send("x")
                                    client.hasEnded()
                                } catch (_: SocketException) {
                                    true
                                }
                        }
                    }
                }
                RawClient(stage.gateway.uri).use { it.readLine().shouldBeNull() }
            }
        }

        "a client that sends its body slowly is told that it took too long" {
            onStage(
                Actor(),
                configure = { limits = GatewayLimits(requestTime = 300.milliseconds) },
            ) { stage ->
                RawClient(stage.gateway.uri).use { client ->
                    client.send(
                        "POST $call HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100\r\n\r\n{",
                    )
                    client.readLine()!! shouldStartWith "HTTP/1.1 408"
                }
            }
        }

        "a client that reads nothing loses its call" {
            val actor = Actor()
            onStage(
                actor,
                configure = { limits = GatewayLimits(patience = 500.milliseconds) },
            ) { stage ->
                RawClient(stage.gateway.uri).use { client ->
                    client.post(
                        "/peers/peer0/greeter.Greeter/SayHelloStream",
                        """{"name": "flood 65536"}""",
                    )
                    eventually(20.seconds) { (actor.sent.get() > 0) shouldBe true }
                    eventually(20.seconds) {
                        stage.get("/api/peers").body() shouldContain
                            "\"callsUnderWay\":0"
                    }
                }
            }
        }

        "connections that are cut in the middle of a body leave nothing" {
            onStage(Actor()) { stage ->
                repeat(50) {
                    RawClient(stage.gateway.uri).use { client ->
                        client.send(
                            "POST $call HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n\r\n{\"name\":",
                        )
                    }
                }
                stage.post(call, "{}").statusCode() shouldBe 200
                eventually(20.seconds) {
                    stage.get("/api/peers").body() shouldContain
                        "\"callsUnderWay\":0"
                }
            }
        }

        "more connections than the limit are closed at once, and are taken again when there is room" {
            onStage(Actor(), configure = { limits = GatewayLimits(connections = 2) }) { stage ->
                val first = RawClient(stage.gateway.uri)
                val second = RawClient(stage.gateway.uri)
                for (client in listOf(first, second)) {
                    client.post(call, "{}")
                    client.readLine() shouldBe "HTTP/1.1 200 OK"
                }
                RawClient(stage.gateway.uri).use { it.hasEnded(20.seconds) shouldBe true }
                first.close()
                eventually(20.seconds) { stage.post(call, "{}").statusCode() shouldBe 200 }
                second.close()
            }
        }

        "calls to one peer have a limit, which leaves the others alone" {
            val actor = Actor()
            onStage(
                actor,
                Actor(),
                configure = { limits = GatewayLimits(callsPerPeer = 2) },
            ) { stage ->
                coroutineScope {
                    val hanging =
                        List(
                            2,
                        ) { async { stage.post(call, """{"name": "hang"}""", "x-deadline", "3s") } }
                    eventually(20.seconds) {
                        stage.get("/api/peers").body() shouldContain
                            "\"callsUnderWay\":2"
                    }
                    stage.post(call, "{}").let {
                        it.statusCode() shouldBe 429
                        it.body() shouldContain "2 calls to peer peer0 are under way"
                    }
                    stage.post("/peers/peer1/greeter.Greeter/SayHello", "{}").statusCode() shouldBe
                        200
                    hanging.forEach { it.await().statusCode() shouldBe 504 }
                }
            }
        }

        "a response whose making fails in whatever way ends, and its client is not left waiting" {
            val response =
                CoroutineScope(SupervisorJob() + Dispatchers.Default).respond(1.seconds) {
                    throw StackOverflowError()
                }
            withTimeout(20.seconds) {
                shouldThrow<StackOverflowError> { response.aggregate().await() }
            }
        }

        "many small requests in one body cost no more than their bytes say" {
            onStage(Actor()) { stage ->
                val many = "{}\n".repeat(300_000)
                stage.post("/peers/peer0/greeter.Greeter/SayHelloMany", many).let {
                    it.statusCode() shouldBe 400
                    it.body() shouldContain "requests"
                }
                val frames = ByteArray(5 * 300_000)
                stage
                    .post(
                        "/peers/peer0/greeter.Greeter/SayHelloMany",
                        "application/grpc-web",
                        frames,
                    ).body()
                    .decodeToString() shouldContain "requests"
            }
        }

        "answers that are too large end their call alone" {
            onStage(
                Actor(),
                configure = { limits = GatewayLimits(responseBytes = 10_000) },
            ) { stage ->
                stage.post(call, """{"name": "long 20000"}""").statusCode() shouldBe 429
                stage.post(call, """{"name": "long 9000"}""").statusCode() shouldBe 200
            }
        }
    })
