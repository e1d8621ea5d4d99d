package io.grpcstream.samples.peercurl.doors

import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.withGrpcPeer
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.DisplayName
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import java.nio.file.Files
import java.nio.file.Path

/** The executable's doors, and programs of other languages on their other side. */
@Tag("interop")
class DoorsInteropTest {
    @Test
    @DisplayName("grpcurl and a client by grpc-js call a peer through forward, all four kinds")
    fun forward(): Unit =
        runBlocking(Dispatchers.IO) {
            withGrpcPeer({
                listen("/ip4/127.0.0.1/tcp/0")
                serve {
                    service(Greeter())
                    reflection()
                }
            }) { peer ->
                peercurl("forward", "0", peer.addresses().first().toString(), "-v").use { door ->
                    val address =
                        door
                            .await(
                                Regex("^(127\\.0\\.0\\.1:\\d+) leads to"),
                            ).groupValues[1]
                    grpcurl(address, "list") shouldContain "greeter.Greeter"
                    grpcurl(address, "describe", "greeter.Greeter.Chat") shouldContain
                        "rpc Chat ( stream .greeter.HelloRequest )"
                    val ada = """{"name":"Ada"}"""
                    val both = """$ada {"name":"Grace"}"""
                    called(address, "SayHello", ada) shouldBe listOf("Hello, Ada!")
                    called(address, "SayHelloStream", ada) shouldBe
                        listOf("Hello, Ada!", "Bonjour, Ada!", "Hej, Ada!")
                    called(address, "SayHelloMany", both) shouldBe listOf("Hello, Ada and Grace!")
                    called(address, "Chat", both) shouldBe listOf("Hello, Ada!", "Hello, Grace!")
                    door.await(Regex("greeter.Greeter/Chat OK "))

                    Program(listOf("node", "plain-call.js", address), JS).use {
                        it.output() shouldBe
                            """
                            unary ok Hello, Ada!
                            server-streaming ok Hello, Ada! Bonjour, Ada! Hej, Ada!
                            client-streaming ok Hello, Ada and Grace!
                            bidi-streaming ok Hello, Ada! Hello, Grace!
                            """.trimIndent() + "\n"
                    }
                    peer.host().shutdown(java.time.Duration.ZERO)
                    Program(
                        listOf(
                            GRPCURL,
                            "-plaintext",
                            "-d",
                            ada,
                            "-proto",
                            PROTO,
                            address,
                            "greeter.Greeter/SayHello",
                        ),
                    ).use {
                        val failed = it.output(exit = UNAVAILABLE)
                        failed shouldContain "Unavailable"
                        failed shouldContain peer.peerId().toString()
                    }
                    door.terminate()
                    door.output(exit = INTERRUPTED)
                }
            }
        }

    @Test
    @DisplayName(
        "a Go server behind expose is called by peers in Kotlin and in Go, and sees who calls",
    )
    fun expose(): Unit =
        runBlocking(Dispatchers.IO) {
            Program(listOf(GO_PEER, "plain-listen")).use { server ->
                val target = server.await(Regex("^127\\.0\\.0\\.1:\\d+$")).value
                peercurl("expose", target, "--protocol", "/greeter/1.0.0", "-v").use { door ->
                    val address =
                        door
                            .await(
                                Regex("^(\\S+/p2p/\\S+) leads to $target$"),
                            ).groupValues[1]
                    withGrpcPeer({ }) { caller ->
                        val stub =
                            GreeterCoroutineStub(
                                caller.channel("libp2p:$address?protocol=/greeter/1.0.0"),
                            )
                        val (ada, grace) = listOf("Ada", "Grace").map { helloRequest { name = it } }
                        stub.sayHello(ada).message shouldBe "Hello, Ada!"
                        stub.sayHelloStream(ada).toList().size shouldBe GREETINGS.size
                        stub.sayHelloMany(flowOf(ada, grace)).message shouldBe
                            "Hello, Ada and Grace!"
                        stub.chat(flowOf(ada, grace)).toList().map { it.message } shouldBe
                            listOf("Hello, Ada!", "Hello, Grace!")
                        repeat(4) { server.await(Regex("called by ${caller.peerId()}$")) }
                    }
                    val scenarios =
                        "connect,unary,server-streaming,client-streaming,bidi-streaming," +
                            "metadata,deadline,cancel,abort,status,large,too-large,concurrent," +
                            "slow-caller,slow-server"
                    Program(listOf(GO_PEER, "call", address, "--scenario", scenarios)).use {
                        it.output().lines().count { line -> " ok" in line } shouldBe
                            scenarios.split(',').size
                    }
                    server.await(Regex("greeter.Greeter/Chat called by 12D3KooW\\w+$"))
                    door.await(Regex("interop.Interop/Echo OK "))
                    door.terminate()
                    door.output(exit = INTERRUPTED)
                }
            }
        }

    private fun peercurl(vararg arguments: String) =
        Program(listOf(System.getProperty("peercurl")) + arguments)

    private fun grpcurl(vararg arguments: String) =
        Program(listOf(GRPCURL, "-plaintext") + arguments).use { it.output() }

    /** The messages of the replies. */
    private fun called(
        address: String,
        method: String,
        requests: String,
    ): List<String> =
        Regex("\"message\": \"(.*)\"")
            .findAll(grpcurl("-d", requests, address, "greeter.Greeter/$method"))
            .map { it.groupValues[1] }
            .toList()

    /** The greeter that all languages have. */
    private class Greeter : GreeterCoroutineImplBase() {
        override suspend fun sayHello(request: HelloRequest): HelloReply =
            greeting("Hello", request.name)

        override fun sayHelloStream(request: HelloRequest): Flow<HelloReply> =
            GREETINGS.asFlow().map { greeting(it, request.name) }

        override suspend fun sayHelloMany(requests: Flow<HelloRequest>): HelloReply =
            greeting("Hello", requests.map { it.name }.toList().joinToString(" and "))

        override fun chat(requests: Flow<HelloRequest>): Flow<HelloReply> =
            requests.map {
                greeting("Hello", it.name)
            }

        private fun greeting(
            word: String,
            name: String,
        ) = helloReply { message = "$word, $name!" }
    }

    companion object {
        private val TARGET = Path.of("target", "interop").toAbsolutePath()
        private val GO = Path.of("..", "interop", "go")
        private val JS = Path.of("..", "interop", "js")
        private val GO_PEER = TARGET.resolve("go-peer").toString()
        private val GRPCURL = TARGET.resolve("grpcurl").toString()
        private const val GRPCURL_MODULE = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3"
        private const val PROTO = "../../proto/src/main/protobuf/greeter.proto"
        private val GREETINGS = listOf("Hello", "Bonjour", "Hej")

        /** grpcurl's exit codes: 64 and the status. */
        private const val UNAVAILABLE = 64 + 14

        /** SIGTERM, and Ctrl-C, as shells have them. */
        private const val INTERRUPTED = 128 + 15

        @JvmStatic
        @BeforeAll
        fun build() {
            Files.createDirectories(TARGET)
            Program.require(listOf("go", "build", "-o", GO_PEER, "."), GO)
            Program.require(
                listOf("go", "install", GRPCURL_MODULE),
                GO,
                mapOf("GOBIN" to TARGET.toString()),
            )
            Program.require(listOf("node", "--version"), JS)
            if (!Files.exists(JS.resolve("node_modules"))) {
                Program.require(listOf("npm", "ci", "--no-audit", "--no-fund"), JS)
            }
        }
    }
}
