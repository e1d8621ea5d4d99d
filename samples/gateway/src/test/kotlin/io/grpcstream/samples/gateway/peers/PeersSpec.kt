// Examples of HTTP and of JSON are lines as they are.
@file:Suppress("ktlint:standard:max-line-length")

package io.grpcstream.samples.gateway.peers

import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.dynamic.Schema
import io.grpcstream.samples.gateway.Actor
import io.grpcstream.samples.gateway.GatewayLimits
import io.grpcstream.samples.gateway.KnownPeer
import io.grpcstream.samples.gateway.Library
import io.grpcstream.samples.gateway.Stage
import io.grpcstream.samples.gateway.onStage
import io.grpcstream.samples.gateway.rest.JSON
import io.grpcstream.samples.gateway.served
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import java.net.http.HttpResponse.BodyHandlers
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class PeersSpec :
    StringSpec({
        suspend fun Stage.state(peer: Int) = JSON.readTree(get("/api/peers").body())["peers"][peer]

        "the page is told who the peers are, how they are, and what they serve" {
            onStage(Actor(), Library.service()) { stage ->
                eventually(20.seconds) {
                    val state = stage.state(0)
                    withClue(state) {
                        state["connected"].asBoolean() shouldBe true
                        state["agent"].asText() shouldContain "grpcstream/"
                        state["roundTripMillis"].isNumber shouldBe true
                        state["services"].map { it.asText() } shouldBe
                            listOf(
                                "greeter.Greeter",
                                "grpc.health.v1.Health",
                                "grpc.reflection.v1.ServerReflection",
                                "grpc.reflection.v1alpha.ServerReflection",
                            )
                        state["health"][""].asText() shouldBe "SERVING"
                    }
                }
                stage.post("/peers/peer0/greeter.Greeter/SayHello", "{}")
                stage.post("/peers/peer0/greeter.Greeter/SayHello", """{"name": "fail ABORTED"}""")
                stage.state(0)["calls"].asInt() shouldBe 2
                stage.state(0)["failedCalls"].asInt() shouldBe 1

                val library = JSON.readTree(stage.get("/api/peers/peer1/services").body())
                library["services"].map { it["name"].asText() }.last() shouldBe "library.Library"
                library["enums"]["library.Genre"].map { it.asText() } shouldBe
                    listOf("GENRE_UNSPECIFIED", "NOVEL", "POEMS")
                library["types"]["library.Book"]["fields"].map { it["name"].asText() } shouldBe
                    listOf("name", "title", "genre", "pages", "printed", "labels")
                stage.get("/api/peers/nobody/services").statusCode() shouldBe 404
                stage.get("/api/nothing").statusCode() shouldBe 404
            }
        }

        "the state is followed as events, once a second" {
            onStage(Actor()) { stage ->
                stage.send(stage.request("/api/events"), BodyHandlers.ofInputStream()).body().use { body ->
                    val lines = body.bufferedReader()
                    repeat(2) {
                        lines.readLine() shouldBe "event: peers"
                        lines.readLine() shouldContain "data: {\"gateway\":"
                        lines.readLine() shouldBe ""
                    }
                }
            }
        }

        "a peer that is down is told as such, while another one works, and is called once it is there" {
            val key = PrivateKey.generateEd25519()
            val gone = served(Library.service(), "/memory/77001", key)
            gone.startAndAwait()
            val address = gone.addresses().first()
            gone.shutdownAndAwait(0.seconds)
            onStage(Actor(), configure = {
                more = listOf(KnownPeer("gone", address))
                limits =
                    GatewayLimits(servicesTime = 500.milliseconds)
            }) { stage ->
                stage.post("/peers/peer0/greeter.Greeter/SayHello", "{}").statusCode() shouldBe 200
                stage.get("/peers/gone/v1/books/1").let {
                    it.statusCode() shouldBe 503
                    it.body() shouldContain "the services of peer gone are not known"
                }
                val web =
                    stage.post(
                        "/peers/gone/library.Library/GetBook",
                        "application/grpc-web",
                        byteArrayOf(0, 0, 0, 0, 0),
                    )
                web.body().decodeToString() shouldContain "grpc-status: 14"
                eventually(20.seconds) { stage.state(1)["trouble"].isNull shouldBe false }
                stage.state(1)["connected"].asBoolean() shouldBe false

                val back = served(Library.service(), "/memory/77001", key)
                back.startAndAwait()
                try {
                    eventually(30.seconds) {
                        stage.get("/peers/gone/v1/books/1").statusCode() shouldBe
                            200
                    }
                    // Another program under the same id: what it serves is read anew.
                    back.shutdownAndAwait(Duration.ZERO)
                    val other = served(Actor(), "/memory/77001", key)
                    other.startAndAwait()
                    try {
                        eventually(30.seconds) {
                            stage
                                .post(
                                    "/peers/gone/greeter.Greeter/SayHello",
                                    """{"name": "Ada"}""",
                                ).body() shouldContain
                                "Hello, Ada!"
                        }
                    } finally {
                        other.shutdownAndAwait(Duration.ZERO)
                    }
                } finally {
                    back.shutdownAndAwait(Duration.ZERO)
                }
            }
        }

        "a peer that tells no services, or never ends telling, is called by gRPC-Web, and troubles nobody" {
            val unable: ServiceFinder = { throw IllegalStateException("garbage") }
            val endless: ServiceFinder = { flow<Nothing> { awaitCancellation() }.first() }
            for (broken in listOf(unable, endless)) {
                onStage(
                    Actor(),
                    Library.service(),
                    configure = {
                        limits = GatewayLimits(servicesTime = 300.milliseconds)
                        val asked = HashSet<Any>()
                        // Whoever is asked first is the broken one; the other one tells.
                        find =
                            { channel ->
                                if (asked.isEmpty() ||
                                    channel in asked
                                ) {
                                    broken(channel.also { asked += it })
                                } else {
                                    Schema.reflected(channel).services
                                }
                            }
                    },
                ) { stage ->
                    eventually(20.seconds) {
                        listOf(0, 1).count { stage.state(it)["servicesTrouble"].isTextual } shouldBe
                            1
                    }
                    val sick = listOf(0, 1).single { stage.state(it)["servicesTrouble"].isTextual }
                    val frame = byteArrayOf(0, 0, 0, 0, 0)
                    val method =
                        if (sick ==
                            0
                        ) {
                            "greeter.Greeter/SayHello"
                        } else {
                            "library.Library/GetBook"
                        }
                    stage
                        .post(
                            "/peers/peer$sick/$method",
                            "application/grpc-web",
                            frame,
                        ).body()
                        .decodeToString() shouldContain
                        "grpc-status: 0"
                    stage.post("/peers/peer$sick/$method", "{}").statusCode() shouldBe 503
                    val other =
                        if (sick ==
                            1
                        ) {
                            "greeter.Greeter/SayHello"
                        } else {
                            "library.Library/GetBook"
                        }
                    eventually(20.seconds) {
                        stage.post("/peers/peer${1 - sick}/$other", "{}").statusCode() shouldBe
                            200
                    }
                }
            }
        }

        "a name for a peer is what paths can hold, and its address ends in its id" {
            shouldThrow<IllegalArgumentException> { KnownPeer.parse("shop") }.message shouldContain
                "name=multiaddr"
            shouldThrow<IllegalArgumentException> {
                KnownPeer.parse("shop=/ip4/127.0.0.1/tcp/1")
            }.message shouldContain
                "/p2p/"
            val id =
                PrivateKey.generateEd25519().let {
                    io.grpcstream.libp2p.PeerId.of(
                        it.publicKey(),
                    )
                }
            shouldThrow<IllegalArgumentException> {
                KnownPeer.parse("a/b=/ip4/127.0.0.1/tcp/1/p2p/$id")
            }.message shouldContain
                "is no name"
            KnownPeer.parse("shop = /ip4/127.0.0.1/tcp/1/p2p/$id").id shouldBe id
        }
    })
