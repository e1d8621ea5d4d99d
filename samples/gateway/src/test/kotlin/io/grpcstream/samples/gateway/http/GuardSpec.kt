package io.grpcstream.samples.gateway.http

import io.grpcstream.samples.gateway.Actor
import io.grpcstream.samples.gateway.GatewayOptions
import io.grpcstream.samples.gateway.onStage
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import java.net.InetSocketAddress
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers

class GuardSpec :
    StringSpec({
        val call = "/peers/peer0/greeter.Greeter/SayHello"

        "pages of other sites can neither call nor read, except those that CORS names" {
            onStage(Actor(), configure = { cors = setOf("https://shop.example") }) { stage ->
                stage.post(call, "{}", "origin", "https://evil.example").statusCode() shouldBe 403
                stage.post(call, "{}", "origin", "null").statusCode() shouldBe 403
                stage.post(call, "{}", "sec-fetch-site", "cross-site").statusCode() shouldBe 403
                stage.get("/api/peers", "sec-fetch-site", "same-site").statusCode() shouldBe 403
                stage
                    .get(
                        "/api/peers",
                        "sec-fetch-site",
                        "cross-site",
                        "sec-fetch-mode",
                        "navigate",
                    ).statusCode() shouldBe
                    403
                stage
                    .get(
                        "/",
                        "sec-fetch-site",
                        "cross-site",
                        "sec-fetch-mode",
                        "navigate",
                    ).statusCode() shouldBe
                    200

                val own = "http://${stage.gateway.uri.authority}"
                stage
                    .post(
                        call,
                        "{}",
                        "origin",
                        own,
                        "sec-fetch-site",
                        "same-origin",
                    ).statusCode() shouldBe
                    200

                val allowed =
                    stage.post(
                        call,
                        "{}",
                        "origin",
                        "https://shop.example",
                        "sec-fetch-site",
                        "cross-site",
                    )
                allowed.statusCode() shouldBe 200
                allowed.headers().firstValue("access-control-allow-origin").get() shouldBe
                    "https://shop.example"

                fun preflight(origin: String) =
                    stage
                        .request(
                            call,
                            "origin",
                            origin,
                            "access-control-request-method",
                            "POST",
                            "access-control-request-headers",
                            "authorization",
                        ).method("OPTIONS", BodyPublishers.noBody())
                stage.send(preflight("https://shop.example"), BodyHandlers.ofString()).let {
                    it.statusCode() shouldBe 204
                    it.headers().firstValue("access-control-allow-headers").get() shouldBe
                        "authorization"
                }
                stage.send(preflight("https://evil.example"), BodyHandlers.ofString()).let {
                    it.statusCode() shouldBe 403
                    it.headers().firstValue("access-control-allow-origin").isPresent shouldBe false
                }
            }
        }

        "a name that somebody has lead to this machine is not answered" {
            onStage(Actor()) { stage ->
                fun answer(host: String): String? =
                    RawClient(stage.gateway.uri).use {
                        it.send("GET /api/peers HTTP/1.1\r\nhost: $host\r\n\r\n")
                        it.readLine()
                    }
                val port = stage.gateway.uri.port
                answer("evil.example:$port")!! shouldStartWith "HTTP/1.1 421"
                answer("localhost.evil.example")!! shouldStartWith "HTTP/1.1 421"
                answer("localhost:$port") shouldBe "HTTP/1.1 200 OK"
                answer("127.0.0.1") shouldBe "HTTP/1.1 200 OK"
                answer("[::1]:$port") shouldBe "HTTP/1.1 200 OK"
            }
        }

        "with a token all but the page's files asks for it" {
            val secret = "0123456789abcdef"
            val actor = Actor()
            onStage(actor, configure = { token = secret }) { stage ->
                for (wrong in listOf(
                    "Bearer 0123456789abcdeg",
                    "Bearer",
                    "Bearer ",
                    "Basic $secret",
                    "Bearer $secret$secret",
                )) {
                    val response = stage.post(call, "{}", "authorization", wrong)
                    withClue(wrong) { response.statusCode() shouldBe 401 }
                    response.body() shouldContain "UNAUTHENTICATED"
                }
                stage
                    .post(call, "{}")
                    .headers()
                    .firstValue("www-authenticate")
                    .get() shouldBe
                    "Bearer"
                stage
                    .post(
                        "/greeter.Greeter/SayHello",
                        "{}",
                        "x-libp2p-peer",
                        "peer0",
                    ).statusCode() shouldBe
                    401
                stage.get("/api/peers").statusCode() shouldBe 401
                stage.get("/").statusCode() shouldBe 200
                actor.headers.keys().isEmpty() shouldBe true

                stage.post(call, "{}", "authorization", "Bearer $secret").statusCode() shouldBe 200
                actor.headers.keys().contains("authorization") shouldBe false
            }
        }

        "peers that are not allowed are refused, and are not dialled" {
            onStage(Actor(), Actor(), configure = { allow = { setOf(it[1]) } }) { stage ->
                stage.post(call, "{}").let {
                    it.statusCode() shouldBe 403
                    it.body() shouldContain "peer0 is not to be called"
                }
                stage
                    .post(
                        "/peers/${stage.peers[0].peerId()}/greeter.Greeter/SayHello",
                        "{}",
                    ).statusCode() shouldBe
                    403
                stage.post("/peers/peer1/greeter.Greeter/SayHello", "{}").statusCode() shouldBe 200
                stage.get("/api/peers").body().contains("peer0") shouldBe false
                stage.peers[0].host().connections() shouldBe emptyList()
            }
        }

        "an address that others reach wants a token" {
            val all = InetSocketAddress("0.0.0.0", 0)
            shouldThrow<IllegalArgumentException> {
                GatewayOptions(
                    emptyList(),
                    all,
                )
            }.message shouldContain
                "give a token"
            shouldThrow<IllegalArgumentException> {
                GatewayOptions(emptyList(), token = "short")
            }.message shouldContain
                "16 are needed"
            GatewayOptions(emptyList(), all, token = "0123456789abcdef")
            GatewayOptions(emptyList(), all, openToAll = true)
        }

        "answers forbid browsers to run or embed what is not the gateway's" {
            onStage(Actor()) { stage ->
                for (path in listOf("/", "/api/peers", "/nothing")) {
                    val headers = stage.get(path).headers()
                    headers.firstValue("content-security-policy").get() shouldStartWith
                        "default-src 'self'; "
                    headers.firstValue("x-content-type-options").get() shouldBe "nosniff"
                }
            }
        }
    })
