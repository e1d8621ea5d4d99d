package io.grpcstream.samples.guide

import io.grpc.Status
import io.grpc.Status.Code
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.kotlin.grpcStream
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.yield
import java.util.concurrent.CompletableFuture.completedFuture

class GuideAuthorizingSpec :
    StringSpec({
        timeout = 120_000

        suspend fun GrpcPeer.outcome(
            server: GrpcPeer,
            token: String? = null,
        ): String {
            val greeter =
                greeterAt(server).let {
                    if (token ==
                        null
                    ) {
                        it
                    } else {
                        withToken(it) { token }
                    }
                }
            return runCatching { greeter.sayHello(hello("Ada")).message }
                .getOrElse { "${Status.fromThrowable(it).code}" }
        }

        "a peer that is banned does not get a connection, in Kotlin and in Java" {
            guidePeers {
                val banned = calling()
                val other = calling()
                for (
                gated in
                listOf(
                    gatedPeer(setOf(banned.peerId())),
                    Authorizing.gatedPeer(Services.Greeter(), setOf(banned.peerId())),
                )
                ) {
                    val server = start(gated)
                    banned.outcome(server) shouldBe "${Code.UNAVAILABLE}"
                    other.outcome(server) shouldBe "Hello, Ada!"
                }
            }
        }

        "peers are let in by their ids, in Kotlin and in Java, also where that is looked up" {
            guidePeers {
                val friend = calling()
                val stranger = calling()
                val friends = setOf(friend.peerId())
                for (
                grpc in
                listOf(
                    forFriends(friends),
                    forCustomers {
                        yield()
                        it in friends
                    },
                    Authorizing.forFriends(Services.Greeter(), friends),
                    Authorizing.forCustomers(Services.Greeter()) { completedFuture(it in friends) },
                )
                ) {
                    val server = serving(grpc)
                    friend.outcome(server) shouldBe "Hello, Ada!"
                    stranger.outcome(server) shouldBe "${Code.PERMISSION_DENIED}"
                }
            }
        }

        "calls are allowed by peer and method" {
            guidePeers {
                val admin = calling()
                val other = calling()
                val server = serving(byMethod(setOf(admin.peerId())))
                for (caller in listOf(admin, other)) caller.outcome(server) shouldBe "Hello, Ada!"
                admin.greeterAt(server).sayHelloMany(flowOf(hello("Ada"))).message shouldBe
                    "Hello, Ada!"
                val status =
                    statusOf { other.greeterAt(server).sayHelloMany(flowOf(hello("Ada"))) }
                status.code shouldBe Code.PERMISSION_DENIED
                status.description shouldContain "greeter.Greeter/SayHelloMany is for admins"
            }
        }

        "tokens are looked up, in Kotlin and in Java" {
            guidePeers {
                val caller = calling()
                for (
                grpc in
                listOf(
                    byToken { if (it == "good") Account("Ada") else null },
                    Authorizing.byToken(Services.Greeter()) { completedFuture(it == "good") },
                )
                ) {
                    val server = serving(grpc)
                    caller.outcome(server, "good") shouldBe "Hello, Ada!"
                    caller.outcome(server, "bad") shouldBe "${Code.UNAUTHENTICATED}"
                    caller.outcome(server) shouldBe "${Code.UNAUTHENTICATED}"
                }
            }
        }

        "a service has what the token stands for" {
            guidePeers {
                val caller = calling()
                val server = serving(personal())
                caller.outcome(server, "good") shouldBe "Hello, Grace!"
                caller.outcome(server, "bad") shouldBe "${Code.UNAUTHENTICATED}"
            }
        }
    })

private fun personal(): GrpcStream =
    grpcStream {
        service(PersonalGreeter())
        intercept(Tokens { if (it == "good") Account("Grace") else null })
    }
