package io.grpcstream.kotlin

import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList

private val greeterOfLambdas =
    grpcService("greeter.Greeter") {
        unary(GreeterGrpc.getSayHelloMethod()) { reply("Hello, ${it.name}!") }
        serverStreaming(GreeterGrpc.getSayHelloStreamMethod()) { request ->
            flowOf("Hello", "Bonjour").map { reply("$it, ${request.name}!") }
        }
        clientStreaming(GreeterGrpc.getSayHelloManyMethod()) { requests ->
            reply(requests.toList().joinToString { it.name })
        }
        bidiStreaming(GreeterGrpc.getChatMethod()) { requests -> requests.map { reply(it.name) } }
    }

class GrpcServiceSpec :
    StringSpec({
        "lambdas serve all four kinds of methods" {
            calling({ service(greeterOfLambdas) }) { channel ->
                val stub = GreeterCoroutineStub(channel)
                val names = listOf("Ada", "Grace")
                val requests = flow { names.forEach { emit(hello(it)) } }
                stub.sayHello(hello("Ada")).message shouldBe "Hello, Ada!"
                stub.sayHelloStream(hello("Ada")).map { it.message }.toList() shouldBe
                    listOf("Hello, Ada!", "Bonjour, Ada!")
                stub.sayHelloMany(requests).message shouldBe "Ada, Grace"
                stub.chat(requests).map { it.message }.toList() shouldBe names
            }
        }

        "a method of another kind, of another service or given twice is refused" {
            val chat = GreeterGrpc.getChatMethod()
            shouldThrow<IllegalArgumentException> {
                grpcService("greeter.Greeter") { unary(chat) { reply("") } }
            }.message shouldContain "greeter.Greeter/Chat is BIDI_STREAMING, not UNARY"
            shouldThrow<IllegalArgumentException> {
                grpcService("other.Service") { bidiStreaming(chat) { flowOf() } }
            }.message shouldContain "greeter.Greeter/Chat is not a method of other.Service"
            shouldThrow<IllegalArgumentException> {
                grpcService("greeter.Greeter") {
                    bidiStreaming(chat) { flowOf() }
                    bidiStreaming(chat) { flowOf() }
                }
            }.message shouldContain "greeter.Greeter/Chat is defined already"
        }
    })
