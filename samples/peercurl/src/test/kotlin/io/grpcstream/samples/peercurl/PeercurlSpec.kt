package io.grpcstream.samples.peercurl

import io.grpc.Status
import io.grpcstream.GrpcPeer
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempfile
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldBeEmpty
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldMatch
import io.kotest.matchers.string.shouldNotContain
import java.util.concurrent.TimeUnit

/** Commands against peers in Kotlin and in Java, by the executable. */
class PeercurlSpec :
    StringSpec({
        val greeter = MoodyGreeter()
        lateinit var kotlin: GrpcPeer
        lateinit var java: GrpcPeer
        beforeSpec {
            kotlin =
                kotlinPeer(greeter) {
                    health()
                    reflection()
                }.started()
            java = javaPeer().started()
        }
        afterSpec {
            kotlin.close()
            java.close()
        }

        "id tells who a peer is, how it was reached and proven, and what it offers" {
            val ended = Executable.run("id", kotlin.address)
            ended.exit shouldBe 0
            ended.err.shouldBeEmpty()
            ended.out shouldContain "peer        ${kotlin.peerId()}\n"
            ended.out shouldContain "reached at  ${kotlin.addresses().first().withoutPeerId()}\n"
            ended.out shouldContain "proven by   /tls/1.0.0\n"
            ended.out shouldContain "muxer       /yamux/1.0.0\n"
            ended.out shouldContain Regex("round trip  [0-9.]+ ms\n")
            ended.out shouldContain "agent       "
            ended.out shouldContain "/libp2p/grpc/1.0.0\n"
            ended.out shouldNotContain "\u001b"
            // Also where the address does not say who has to be there.
            val json =
                Executable
                    .run(
                        "id",
                        kotlin
                            .addresses()
                            .first()
                            .withoutPeerId()
                            .toString(),
                        "--json",
                    ).json
                    .single()
            json.asJsonObject["peer"].asString shouldBe kotlin.peerId().toString()
            json.asJsonObject["protocols"].asJsonArray.map { it.asString } shouldContain
                "/ipfs/ping/1.0.0"
        }

        "ping prints a line for each answer and statistics, also when it is interrupted" {
            val ended = Executable.run("ping", java.address, "-c", "3", "-i", "10ms")
            ended.exit shouldBe 0
            ended.lines[1] shouldMatch
                Regex("32 bytes from ${java.peerId()}: seq=1 time=[0-9.]+ ms")
            ended.out shouldContain
                "\n--- ${java.peerId()} ping statistics ---\n3 sent, 3 answered, 0% lost, time "
            ended.out shouldContain
                Regex("round trip min/avg/max/mdev = ([0-9.]+/){3}[0-9.]+ ms\n$")

            Executable.start("ping", java.address, "--json", "-i", "10ms").use {
                it.line() shouldContain "\"seq\":1"
                it.interrupt()
                val interrupted = it.end()
                interrupted.exit shouldBe 0
                interrupted.json
                    .last()
                    .asJsonObject["answered"]
                    .asInt shouldBeGreaterThan 0
            }
        }

        "what cannot be reached is named with the reason, and exits as UNAVAILABLE" {
            val gone = "/ip4/127.0.0.1/tcp/1/p2p/${java.peerId()}"
            val commands =
                listOf(
                    listOf("id", gone),
                    listOf("ping", gone),
                    listOf("call", gone, "greeter.Greeter/SayHello"),
                )
            for (ended in Executable.runAll(commands)) {
                ended.exit shouldBe 64 + Status.Code.UNAVAILABLE.value()
                ended.err shouldContain "peercurl: UNAVAILABLE: "
                ended.err shouldContain "/ip4/127.0.0.1/tcp/1"
                ended.err shouldContain "refused"
                ended.out.shouldBeEmpty()
            }
            val other = "${java.addresses().first().withoutPeerId()}/p2p/${kotlin.peerId()}"
            Executable.run("id", other).exit shouldBe 64 + Status.Code.UNAUTHENTICATED.value()
            val unspoken = Executable.run("list", kotlin.address, "--protocol", "/nothing/1")
            unspoken.exit shouldBe 78
            unspoken.err shouldContain "does not speak /nothing/1"
            unspoken.err shouldContain "--protocol chooses another one; it has /libp2p/grpc/1.0.0"
        }

        "list names services, and the methods of one" {
            val greeterOf = listOf("list", java.address, "greeter.Greeter")
            val (all, one, json, unknown) =
                Executable.runAll(
                    listOf(
                        listOf("list", kotlin.address),
                        greeterOf,
                        greeterOf + "--json",
                        listOf("list", java.address, "greeter.Greter"),
                    ),
                )
            all.lines shouldContainExactly
                listOf(
                    "greeter.Greeter",
                    "grpc.health.v1.Health",
                    "grpc.reflection.v1.ServerReflection",
                    "grpc.reflection.v1alpha.ServerReflection",
                )
            one.lines shouldContainExactly
                listOf(
                    "SayHello",
                    "SayHelloStream",
                    "SayHelloMany",
                    "Chat",
                ).map { "greeter.Greeter/$it" }
            json.json.last().toString() shouldBe
                """{"method":"greeter.Greeter/Chat","kind":"BIDI_STREAMING",""" +
                """"request":"greeter.HelloRequest","response":"greeter.HelloReply"}"""
            unknown.exit shouldBe 2
            unknown.err shouldContain "no service \"greeter.Greter\": did you mean greeter.Greeter?"
        }

        "describe shows services, methods, messages and enums as a proto file has them" {
            val (service, message, status, template) =
                Executable.runAll(
                    listOf(
                        listOf("greeter.Greeter"),
                        listOf("greeter.HelloRequest"),
                        listOf("grpc.health.v1.HealthCheckResponse.ServingStatus", "--json"),
                        listOf("greeter.Greeter/SayHello", "--template"),
                    ).map { listOf("describe", java.address) + it },
                )
            service.out shouldBe
                """
                // greeter.Greeter, in greeter.proto
                service Greeter {
                  rpc SayHello(greeter.HelloRequest) returns (greeter.HelloReply);
                  rpc SayHelloStream(greeter.HelloRequest) returns (stream greeter.HelloReply);
                  rpc SayHelloMany(stream greeter.HelloRequest) returns (greeter.HelloReply);
                  rpc Chat(stream greeter.HelloRequest) returns (stream greeter.HelloReply);
                }

                """.trimIndent()
            message.out shouldContain "message HelloRequest {\n  string name = 1;\n}\n"
            status.json
                .single()
                .asJsonObject["kind"]
                .asString shouldBe "enum"
            template.out shouldBe "{\n  \"name\": \"\"\n}\n"
        }

        "call makes calls of all four kinds, with requests from the line, a file and stdin" {
            val unary =
                Executable.run(
                    "call",
                    kotlin.address,
                    "greeter.Greeter/SayHello",
                    "-d",
                    """{"name":"Ada"}""",
                )
            unary.exit shouldBe 0
            unary.err.shouldBeEmpty()
            unary.out shouldBe "{\n  \"message\": \"Hello, Ada!\"\n}\n"
            Executable
                .run(
                    "call",
                    java.address,
                    "greeter.Greeter/SayHello",
                    "-d",
                    "@",
                    "--json",
                    input = "{\"name\": \"Bob\"}",
                ).out shouldBe
                "{\"message\":\"Hello, Bob!\"}\n"
            Executable.run("call", java.address, "greeter.Greeter.SayHello", "--json").out shouldBe
                "{\"message\":\"Hello, !\"}\n"
            Executable
                .run(
                    "call",
                    kotlin.address,
                    "greeter.Greeter/SayHelloStream",
                    "-d",
                    """{"name":"Ada"}""",
                    "--json",
                ).json
                .map { it.asJsonObject["message"].asString } shouldContainExactly
                listOf("Hello, Ada!", "Bonjour, Ada!", "Hej, Ada!")
            val file =
                tempfile().apply {
                    writeText("{\"name\": \"Ada\"}\n{\"name\": \"Bob\"} {\"name\": \"Eve\"}")
                }
            Executable
                .run(
                    "call",
                    kotlin.address,
                    "greeter.Greeter/SayHelloMany",
                    "-d",
                    "@$file",
                    "--json",
                ).out shouldBe
                "{\"message\":\"Hello, Ada and Bob and Eve!\"}\n"
        }

        "a conversation goes on while its requests come" {
            Executable
                .start(
                    "call",
                    kotlin.address,
                    "greeter.Greeter/Chat",
                    "-d",
                    "@",
                    "--json",
                ).use {
                    it.write("""{"name":"Ada"}""")
                    it.line() shouldBe """{"message":"Hello, Ada!"}"""
                    it.write("""{"name":"Bob"}""")
                    it.line() shouldBe """{"message":"Hello, Bob!"}"""
                    it.endInput()
                    it.end().exit shouldBe 0
                }
            Executable
                .start(
                    "call",
                    kotlin.address,
                    "greeter.Greeter/Chat",
                    "-d",
                    "@",
                    "--json",
                ).use {
                    it.write("{\"name\":\"Ada\"}")
                    it.line() shouldBe """{"message":"Hello, Ada!"}"""
                    it.write("\n{\"nme\":\"Bob\"}")
                    val ended = it.end()
                    ended.exit shouldBe 2
                    ended.error["message"].asString shouldBe
                        "request 2 is no greeter.HelloRequest: line 2, column 2: " +
                        "no field \"nme\" in greeter.HelloRequest: did you mean name?"
                }
        }

        "headers go and come, and are shown by -v on standard error" {
            val arguments =
                arrayOf(
                    "call",
                    kotlin.address,
                    "greeter.Greeter/SayHello",
                    "-d",
                    "{}",
                    "-H",
                    "x-mood: good",
                    "-H",
                    "x-bytes-bin: AP8",
                )
            val ended =
                Executable.run(
                    *arguments,
                    "-v",
                    "--compression",
                    "gzip",
                    "--deadline",
                    "30s",
                )
            ended.exit shouldBe 0
            ended.out shouldBe "{\n  \"message\": \"Hello, !\"\n}\n"
            ended.err shouldContain "> greeter.Greeter/SayHello (unary)\n"
            ended.err shouldContain "> x-mood: good\n"
            ended.err shouldContain kotlin.peerId().toString()
            ended.err shouldContain "< x-bytes-bin: AP8=\n< x-mood: good\n"
            ended.err shouldContain "< OK\n< x-end: well\n"
            val json = Executable.run(*arguments, "-v", "--json")
            json.err.lines() shouldContain """{"trailers":{"x-end":["well"]},"status":"OK"}"""
            Executable.run(*arguments, "-H", "nonsense").exit shouldBe 2
        }

        "each status has an exit code, and rich errors are spelled out" {
            val call = listOf("call", kotlin.address, "greeter.Greeter/SayHello", "-d")
            val statuses =
                listOf(Status.Code.CANCELLED, Status.Code.NOT_FOUND, Status.Code.UNAUTHENTICATED)
            for ((status, ended) in statuses.zip(
                Executable.runAll(
                    statuses.map {
                        call +
                            """{"name":"$it"}"""
                    },
                ),
            )) {
                ended.exit shouldBe 64 + status.value()
                ended.err shouldContain "peercurl: $status: as you like\n"
            }
            val rich =
                Executable.run(
                    "call",
                    kotlin.address,
                    "greeter.Greeter/SayHello",
                    "-d",
                    """{"name":"rich"}""",
                )
            rich.exit shouldBe 67
            rich.err shouldContain "peercurl: INVALID_ARGUMENT: not that \uFFFD[31mname\n"
            rich.err shouldContain "google.rpc.BadRequest"
            rich.err shouldContain "\"description\": \"too rich\""
            val error =
                Executable
                    .run(
                        "call",
                        kotlin.address,
                        "greeter.Greeter/SayHello",
                        "-d",
                        """{"name":"rich"}""",
                        "--json",
                    ).error
            error["status"].asString shouldBe "INVALID_ARGUMENT"
            error["details"].asJsonArray[0].asJsonObject["fieldViolations"].toString() shouldContain
                "too rich"
            val late =
                Executable.run(
                    "call",
                    kotlin.address,
                    "greeter.Greeter/SayHello",
                    "-d",
                    """{"name":"late"}""",
                    "--deadline",
                    "0.5",
                )
            late.exit shouldBe 64 + Status.Code.DEADLINE_EXCEEDED.value()
        }

        "Ctrl-C cancels the call at the peer, and a closed pipe ends it without a word" {
            Executable
                .start(
                    "call",
                    kotlin.address,
                    "greeter.Greeter/SayHelloStream",
                    "-d",
                    """{"name":"endless"}""",
                    "--json",
                ).use {
                    it.line()
                    it.closeOutput()
                    val ended = it.end()
                    ended.exit shouldBe 141
                    ended.err.shouldBeEmpty()
                }
            Executable
                .start(
                    "call",
                    kotlin.address,
                    "greeter.Greeter/SayHello",
                    "-d",
                    """{"name":"wait"}""",
                ).use {
                    greeter.waiting.get(60, TimeUnit.SECONDS)
                    it.interrupt()
                    val ended = it.end()
                    ended.exit shouldBe 130
                    ended.err.shouldBeEmpty()
                    greeter.cancelled.get(60, TimeUnit.SECONDS)
                }
        }

        "what is not understood exits with 2, and says what to do" {
            val wrong =
                listOf(
                    listOf("lst") to "there is no command \"lst\": did you mean list?",
                    listOf("id", "nonsense") to "\"nonsense\" is no multiaddr",
                    listOf("list", "/ip4/127.0.0.1/tcp/1") to "names no peer",
                    listOf("call", java.address) to "METHOD",
                    listOf("call", java.address, "greeter.Greeter/SayHello", "-d", "{") to
                        "line 1, column 2",
                    listOf("call", java.address, "greeter.Greeter/SayHello", "-d", "{}{}") to
                        "takes one request",
                    listOf(
                        "call",
                        java.address,
                        "greeter.Greeter/SayHello",
                        "--deadline",
                        "soon",
                    ) to
                        "is no time",
                    listOf(
                        "call",
                        java.address,
                        "greeter.Greeter/SayHello",
                        "--identity",
                        "/gone",
                    ) to
                        "no such file",
                )
            for ((ended, expected) in Executable
                .runAll(
                    wrong.map { it.first },
                ).zip(wrong.map { it.second })) {
                ended.exit shouldBe 2
                ended.err shouldContain "peercurl: "
                ended.err shouldContain expected
                ended.out.shouldBeEmpty()
            }
            Executable.run("id", "nonsense", "--json").error["message"].asString shouldContain
                "is no multiaddr"
        }
    })
