package io.grpcstream.samples.peercurl

import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import org.junit.jupiter.api.DisplayName
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import java.nio.file.Path

/** Commands against peers of other languages. */
@Tag("interop")
class InteropTest {
    private val protos =
        Path
            .of(
                "..",
                "..",
                "proto",
                "src",
                "main",
                "protobuf",
            ).toAbsolutePath()
            .normalize()
    private val fromFiles =
        listOf("--import-path", "$protos", "--proto", "greeter.proto", "--proto", "interop.proto")

    @Test
    @DisplayName("a peer in Go tells its services by reflection, and is called by all four kinds")
    fun go() {
        OtherPeer.go().use { peer ->
            looksLike(peer, "grpcstream.io/samples/interop") // A Go program's agent is its module.
            val list = run("list", peer.address)
            list.lines shouldContainExactlyInAnyOrder
                listOf(
                    "greeter.Greeter",
                    "interop.Interop",
                    "grpc.reflection.v1.ServerReflection",
                    "grpc.reflection.v1alpha.ServerReflection",
                )
            val described = run("describe", peer.address, "greeter.Greeter/Chat")
            described.out shouldContain
                "rpc Chat(stream greeter.HelloRequest) returns (stream greeter.HelloReply);"
            isCalled(peer, emptyList())
        }
    }

    @Test
    @DisplayName("a peer in JavaScript, which has no reflection, is called by its .proto files")
    fun javaScript() {
        OtherPeer.js().use { peer ->
            looksLike(peer, "js-libp2p")
            val unknown = run("list", peer.address)
            unknown.exit shouldBe 76
            unknown.err shouldContain "UNIMPLEMENTED: the peer does not tell its services"
            unknown.err shouldContain "--proto"
            isCalled(peer, fromFiles)
        }
    }

    private fun looksLike(
        peer: OtherPeer,
        agent: String,
    ) {
        val id = run("id", peer.address, "--json").json.single().asJsonObject
        id["agent"].asString shouldContain agent
        id["protocols"].asJsonArray.map { it.asString } shouldContain PROTOCOL
        run("ping", peer.address, "-c", "2", "-i", "10ms").out shouldContain
            "2 sent, 2 answered, 0% lost"
    }

    private fun isCalled(
        peer: OtherPeer,
        options: List<String>,
    ) {
        fun call(
            method: String,
            requests: String,
        ) = run("call", peer.address, method, "-d", requests, "--json", *options.toTypedArray())

        fun messages(ended: Ended) = ended.json.map { it.asJsonObject["message"].asString }

        messages(call("greeter.Greeter/SayHello", """{"name":"Ada"}""")) shouldContainExactly
            listOf("Hello, Ada!")
        messages(call("greeter.Greeter/SayHelloStream", """{"name":"Ada"}""")) shouldContainExactly
            listOf("Hello, Ada!", "Bonjour, Ada!", "Hej, Ada!")
        messages(
            call("greeter.Greeter/SayHelloMany", """{"name":"Ada"} {"name":"Grace"}"""),
        ) shouldContainExactly
            listOf("Hello, Ada and Grace!")
        Executable
            .start(
                *arguments("call", peer.address, "greeter.Greeter/Chat", "-d", "@", "--json"),
                *options.toTypedArray(),
            ).use {
                for (name in listOf("Ada", "Grace")) {
                    it.write("""{"name":"$name"}""")
                    it.line() shouldBe """{"message":"Hello, $name!"}"""
                }
                it.endInput()
                it.end().exit shouldBe 0
            }
        val failed = call("interop.Interop/Fail", """{"code":9,"message":"100 % größer ✓"}""")
        failed.exit shouldBe 73
        failed.error["message"].asString shouldBe "100 % größer ✓"
        failed.error["details"].toString() shouldBe
            """[{"@type":"type.googleapis.com/interop.Failure","code":9,"message":"100 % größer ✓"}]"""
    }

    private fun run(vararg command: String) = Executable.run(*arguments(*command))

    private fun arguments(vararg command: String): Array<String> =
        if (command[0] in
            listOf("id", "ping")
        ) {
            arrayOf(*command)
        } else {
            arrayOf(*command, "--protocol", PROTOCOL)
        }

    private companion object {
        const val PROTOCOL = "/greeter/1.0.0"
    }
}
