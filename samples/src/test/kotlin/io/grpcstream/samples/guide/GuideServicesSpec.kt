package io.grpcstream.samples.guide

import io.grpc.BindableService
import io.grpc.Status
import io.grpc.Status.Code
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.kotlin.grpcStream
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldEndWith
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.toList
import java.util.concurrent.TimeoutException

class GuideServicesSpec :
    StringSpec({
        timeout = 120_000

        "all four kinds of call, in Kotlin and in Java, with each other" {
            guidePeers {
                val caller = calling()
                for (service in listOf<BindableService>(Greeter(), Services.Greeter())) {
                    val server = serving(grpcStream { service(service) })
                    val expected =
                        listOf("Ada Lovelace", "Ada", "Lovelace", "Ada and Grace", "Ada", "Grace")
                            .map { "Hello, $it!" }
                    callAllKinds(caller.greeterAt(server)) shouldBe expected
                    blocking { Services.callAllKinds(caller.channel(server.target)) } shouldBe
                        expected
                }
            }
        }

        "a service of lambdas" {
            guidePeers {
                val server = serving(grpcStream { service(greeterOfLambdas()) })
                val greeter = calling().greeterAt(server)
                greeter.sayHello(hello("Ada")).message shouldBe "Hello, Ada!"
                greeter.chat(flowOf(hello("Ada"))).toList().map { it.message } shouldBe
                    listOf("Hello, Ada!")
                statusOf { greeter.sayHelloMany(flowOf(hello("Ada"))) }.code shouldBe
                    Code.UNIMPLEMENTED
            }
        }

        "services that come later are behind the authorizers of the builder, too" {
            guidePeers {
                val grpc = grpcStream { authorizeCalls { _, _, _ -> Status.PERMISSION_DENIED } }
                val greeter = calling().greeterAt(serving(grpc))
                grpc.registerService(Greeter())
                statusOf { greeter.sayHello(hello("Ada")) }.code shouldBe Code.PERMISSION_DENIED
            }
        }

        "services come and go" {
            guidePeers {
                val grpc = grpcStream { }
                val greeter = calling().greeterAt(serving(grpc))
                statusOf { greeter.sayHello(hello("Ada")) }.code shouldBe Code.UNIMPLEMENTED
                grpc.registerService(Greeter())
                greeter.sayHello(hello("Ada")).message shouldBe "Hello, Ada!"
                replaceGreeter(grpc)
                statusOf { greeter.sayHello(hello("Ada")) }.code shouldBe Code.UNIMPLEMENTED
            }
        }

        "a status and its details reach the caller, in Kotlin and in Java" {
            guidePeers {
                val caller = calling()
                val known = setOf("Ada")
                for (service in listOf(ChoosyGreeter(known), Services.ChoosyGreeter(known))) {
                    val server = serving(grpcStream { service(service) })
                    val greeter = caller.greeterAt(server)
                    val blockingGreeter = GreeterGrpc.newBlockingStub(caller.channel(server.target))
                    for (
                    (name, told) in
                    mapOf(
                        "Ada" to "Hello, Ada!",
                        "" to "INVALID_ARGUMENT: no name, field name",
                        "Bob" to "NOT_FOUND: no Bob here, field null",
                    )
                    ) {
                        whatIsWrong(greeter, hello(name)) shouldBe told
                        blocking { Services.whatIsWrong(blockingGreeter, hello(name)) } shouldBe
                            told
                    }
                }
            }
        }

        "what a service throws becomes the status of the table, without its text" {
            val table =
                mapOf(
                    CancellationException("why") to Code.CANCELLED,
                    TimeoutException("why") to Code.DEADLINE_EXCEEDED,
                    SecurityException("why") to Code.PERMISSION_DENIED,
                    NotImplementedError("why") to Code.UNIMPLEMENTED,
                    IllegalArgumentException("why") to Code.UNKNOWN,
                )
            guidePeers {
                val caller = calling()
                for ((failure, code) in table) {
                    val greeter =
                        caller.greeterAt(
                            serving(grpcStream { service(Failing(failure)) }),
                        )
                    val status = statusOf { greeter.sayHello(hello("Ada")) }
                    status.code shouldBe code
                    status.description shouldBe null
                }
            }
        }

        "mapFailure chooses the status, in Kotlin and in Java" {
            guidePeers {
                val caller = calling()

                suspend fun statusBy(grpc: GrpcStream) =
                    statusOf { caller.greeterAt(serving(grpc)).sayHello(hello("Bob")) }

                val mapped = statusBy(mappedGreeter { throw UnknownName(it) })
                mapped.code to mapped.description shouldBe (Code.NOT_FOUND to "no Bob")
                val unmapped = statusBy(mappedGreeter { error("at 10.0.0.7") })
                unmapped.code to unmapped.description shouldBe (Code.UNKNOWN to null)
                val inJava =
                    statusBy(Services.mapped(FailingInJava { Services.UnknownName("Bob") }))
                inJava.code to inJava.description shouldBe (Code.NOT_FOUND to "no Bob")
                statusBy(
                    Services.mapped(FailingInJava { IllegalArgumentException() }),
                ).code shouldBe
                    Code.INVALID_ARGUMENT
            }
        }

        "the JDK's everyday exceptions get codes if that is asked for" {
            guidePeers {
                val forgiving = forgivingGreeter()
                forgiving.registerService(Failing(NoSuchElementException()))
                val greeter = calling().greeterAt(serving(forgiving))
                statusOf { greeter.sayHello(hello("Ada")) }.code shouldBe Code.NOT_FOUND
            }
        }

        "headers and trailers travel both ways, in Kotlin and in Java" {
            guidePeers {
                val caller = calling()
                val polyglot = serving(grpcStream { service(PolyglotGreeter()) })
                inFrench(caller.channel(polyglot.target))
                    .shouldContainExactly("Bonjour, Ada", "fr", "7")
                val inJava =
                    GrpcStream
                        .builder()
                        .addService(SpokenGreeter())
                        .intercept(Services.Languages())
                        .build()
                val channel = caller.channel(serving(inJava).target)
                blocking { Services.languageOfAnswer(channel) } shouldBe "fr"
                GreeterGrpc.newBlockingStub(channel).let { greeter ->
                    blocking { greeter.sayHello(hello("Ada")) }.message shouldEndWith "in en"
                }
            }
        }
    })

private class Failing(
    private val failure: Throwable,
) : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply = throw failure
}

private class FailingInJava(
    private val failure: () -> RuntimeException,
) : GreeterGrpc.GreeterImplBase() {
    override fun sayHello(
        request: HelloRequest,
        replies: io.grpc.stub.StreamObserver<HelloReply>,
    ): Unit = throw failure()
}

/** A service in Java's manner, which has the language from the interceptor. */
private class SpokenGreeter : GreeterGrpc.GreeterImplBase() {
    override fun sayHello(
        request: HelloRequest,
        replies: io.grpc.stub.StreamObserver<HelloReply>,
    ) {
        val message = "${request.name} in ${Services.SPOKEN.get()}"
        replies.onNext(HelloReply.newBuilder().setMessage(message).build())
        replies.onCompleted()
    }
}
