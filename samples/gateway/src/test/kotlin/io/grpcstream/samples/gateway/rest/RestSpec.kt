// Examples of HTTP and of JSON are lines as they are.
@file:Suppress("ktlint:standard:max-line-length")

package io.grpcstream.samples.gateway.rest

import io.grpcstream.samples.gateway.Library
import io.grpcstream.samples.gateway.onStage
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse
import java.net.http.HttpResponse.BodyHandlers

class RestSpec :
    StringSpec({
        fun HttpResponse<String>.heard(): String {
            withClue(body()) { statusCode() shouldBe 200 }
            return oneValue(body()).let { if (it.isArray) it[0] else it }["title"].asText()
        }

        "annotated methods are called by their paths, queries and bodies" {
            onStage(Library.service()) { stage ->
                stage.get("/peers/peer0/v1/shelves/1/books/2").heard() shouldBe
                    """{"name":"shelves/1/books/2"}"""
                stage.get("/peers/peer0/v1/books/a%2Fb").heard() shouldBe """{"name":"a/b"}"""
                stage.get("/v1/books/2", "x-libp2p-peer", "peer0").heard() shouldBe
                    """{"name":"2"}"""
                stage
                    .get(
                        "/peers/peer0/v1/shelves/1/books?pageSize=7&genres=NOVEL&genres=2&filter.lent=true&filter.printed_after=2020-01-02T03:04:05Z&filter.cover=AQI%3D",
                    ).heard() shouldBe
                    """{"parent":"shelves/1","pageSize":7,"genres":["NOVEL","POEMS"],"filter":{"printedAfter":"2020-01-02T03:04:05Z","lent":true,"cover":"AQI="}}"""
                stage
                    .post(
                        "/peers/peer0/v1/shelves/1/books?request_id=r",
                        """{"title": "Emma", "pages": "9007199254740993"}""",
                    ).heard() shouldBe
                    """{"parent":"shelves/1","book":{"title":"Emma","pages":"9007199254740993"},"requestId":"r"}"""
                stage
                    .post(
                        "/peers/peer0/v1/shelves/1/books/2:lend",
                        """{"reader": "Ada"}""",
                    ).heard() shouldBe
                    """{"name":"shelves/1/books/2","reader":"Ada"}"""
                val patch =
                    stage
                        .request(
                            "/peers/peer0/v1/shelves/1/books/2?updateMask=title,pages",
                            "content-type",
                            "application/json",
                        ).method("PATCH", BodyPublishers.ofString("""{"title": "Emma"}"""))
                stage.send(patch, BodyHandlers.ofString()).heard() shouldBe
                    """{"book":{"name":"shelves/1/books/2","title":"Emma"},"updateMask":"title,pages"}"""
            }
        }

        "a stream has its path, too, and browsers may follow it as events" {
            onStage(Library.service()) { stage ->
                stage
                    .get("/peers/peer0/v1/books:watch?page_size=3")
                    .body()
                    .lines()
                    .size shouldBe 3
                stage
                    .get(
                        "/peers/peer0/v1/books:watch",
                        "accept",
                        "text/event-stream",
                    ).body() shouldContain
                    "event: end\n"
            }
        }

        "what does not fit is refused, and says what" {
            onStage(Library.service()) { stage ->
                val wrong =
                    mapOf(
                        "shelves/1/books?page_size=many" to "page_size: \"many\" is no int32",
                        "shelves/1/books?page_size=1&page_size=2" to "page_size is there 2 times",
                        "shelves/1/books?nothing=1" to "has no field \"nothing\"",
                        "shelves/1/books?filter=1" to "filter: \"1\" is no library.Filter",
                        "shelves/1/books?filter.lent.deep=1" to "lent has no fields",
                        "shelves/1/books?genres=SONGS" to "is no library.Genre",
                        "shelves/1/books?filter.printed_after=yesterday" to
                            "is no google.protobuf.Timestamp",
                    )
                for ((path, why) in wrong) {
                    val response = stage.get("/peers/peer0/v1/$path")
                    withClue(path) { response.statusCode() shouldBe 400 }
                    oneValue(response.body())["message"].asText() shouldContain why
                }
                stage.post("/peers/peer0/v1/shelves/1/books", "1}, {\"x\": 2").statusCode() shouldBe
                    400
                stage.post("/peers/peer0/v1/shelves/1/books", "7").statusCode() shouldBe 400
                stage.post("/peers/peer0/v1/shelves/1/books/2", "{}").statusCode() shouldBe 405
                stage.get("/peers/peer0/v1/nothing/here/at/all").statusCode() shouldBe 404
                stage
                    .post(
                        "/peers/peer0/library.Library/BurnBook",
                        """{"name": "x"}""",
                    ).heard() shouldBe
                    """{"name":"x"}"""
            }
        }
    })
