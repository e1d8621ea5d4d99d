package io.grpcstream.opentelemetry

import ch.qos.logback.classic.Level
import ch.qos.logback.classic.Logger
import ch.qos.logback.classic.spi.ILoggingEvent
import ch.qos.logback.core.AppenderBase
import io.grpc.stub.StreamObserver
import io.grpcstream.CallMdc
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.GrpcPeerBuilder
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.kotlin.shutdownAndAwait
import io.grpcstream.kotlin.startAndAwait
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.slf4j.LoggerFactory
import org.slf4j.MDC
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

private const val PROTOCOL = "/greeter/1.0.0"
private const val METHOD = "greeter.Greeter/SayHello"

private val log = LoggerFactory.getLogger("io.grpcstream.test.service")

/** Log lines of calls carry who calls what, by one option. */
class MdcSpec :
    FunSpec({
        val lines = CopyOnWriteArrayList<ILoggingEvent>()
        val appender =
            object : AppenderBase<ILoggingEvent>() {
                override fun append(event: ILoggingEvent) {
                    event.mdcPropertyMap // Taken from the thread, here and now.
                    lines += event
                }
            }
        val root = LoggerFactory.getLogger("io.grpcstream") as Logger
        val peers = mutableListOf<GrpcPeer>()

        beforeSpec {
            appender.start()
            root.addAppender(appender)
            (log as Logger).level = Level.INFO
        }
        afterSpec { root.detachAppender(appender) }
        beforeTest { lines.clear() }
        afterTest {
            peers.forEach { it.shutdownAndAwait(Duration.ZERO) }
            peers.clear()
        }

        suspend fun peer(configure: GrpcPeerBuilder.() -> Unit): GrpcPeer {
            val peer =
                grpcPeer {
                    listen("/memory/0")
                    configure()
                }
            peers += peer
            return peer.startAndAwait()
        }

        suspend fun GrpcPeer.greet(other: GrpcPeer): String =
            GreeterCoroutineStub(channel(other.addresses().first(), PROTOCOL))
                .sayHello(helloRequest { name = "Ada" })
                .message

        fun ofCall(caller: GrpcPeer) =
            mapOf(CallMdc.PEER to caller.peerId().toString(), CallMdc.METHOD to METHOD)

        test("lines of a generated coroutine service carry peer and method, on whatever thread") {
            val server =
                peer {
                    serve(PROTOCOL) {
                        service(LoggingGreeter())
                        mdc()
                    }
                }
            val caller = peer {}
            caller.greet(server) shouldBe "Hello, Ada!"
            lines.map { it.message } shouldBe listOf("begun", "elsewhere", "back")
            lines.forEach { it.mdcPropertyMap shouldBe ofCall(caller) }
            MDC.getCopyOfContextMap().orEmpty() shouldBe emptyMap()
        }

        test(
            "so do those of a service from lambdas, and what the service adds itself stays its own",
        ) {
            val server =
                peer {
                    serve(PROTOCOL) {
                        service("greeter.Greeter") {
                            unary(GreeterGrpc.getSayHelloMethod()) {
                                log.info("begun")
                                yield()
                                withContext(Dispatchers.IO) { log.info("elsewhere") }
                                helloReply { message = "x" }
                            }
                        }
                        mdc()
                    }
                }
            val caller = peer {}
            caller.greet(server)
            lines shouldHaveSize 2
            lines.forEach { it.mdcPropertyMap shouldBe ofCall(caller) }
        }

        test("so do our own lines about a call that fails, of coroutines and of Java") {
            val coroutine =
                peer {
                    serve(PROTOCOL) {
                        service("greeter.Greeter") {
                            unary(GreeterGrpc.getSayHelloMethod()) {
                                yield()
                                error("on purpose")
                            }
                        }
                        mdc()
                    }
                }
            val java =
                GrpcPeer
                    .builder()
                    .listen("/memory/0")
                    .serve(PROTOCOL, GrpcStream.builder().addService(FailingGreeter()).mdc())
                    .build()
            peers += java
            java.startAndAwait()
            val caller = peer {}
            for (server in listOf(coroutine, java)) {
                lines.clear()
                shouldThrow<io.grpc.StatusException> { caller.greet(server) }
                eventually(
                    20.seconds,
                ) { lines.filter { it.level == Level.ERROR }.shouldNotBeEmpty() }
                lines.filter { it.level == Level.ERROR }.forEach {
                    it.mdcPropertyMap shouldBe
                        ofCall(caller)
                }
            }
        }

        test("lines of a service in Java carry them too; without the option none does") {
            suspend fun linesOf(options: GrpcStream.Builder.() -> Unit): List<ILoggingEvent> {
                lines.clear()
                val server =
                    GrpcPeer
                        .builder()
                        .listen("/memory/0")
                        .serve(
                            PROTOCOL,
                            GrpcStream.builder().addService(JavaLoggingGreeter()).apply(options),
                        ).build()
                peers += server
                server.startAndAwait()
                val caller = peer {}
                caller.greet(server)
                return lines.toList()
            }
            linesOf { mdc() }.map { it.mdcPropertyMap[CallMdc.METHOD] } shouldBe listOf(METHOD)
            linesOf {}.map { it.mdcPropertyMap } shouldBe listOf(emptyMap<String, String>())
        }
    })

private class LoggingGreeter : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply {
        log.info("begun")
        withContext(Dispatchers.IO) { log.info("elsewhere") }
        yield()
        log.info("back")
        return helloReply { message = "Hello, ${request.name}!" }
    }
}

private class FailingGreeter : GreeterGrpc.GreeterImplBase() {
    override fun sayHello(
        request: HelloRequest,
        observer: StreamObserver<HelloReply>,
    ): Unit = error("on purpose")
}

private class JavaLoggingGreeter : GreeterGrpc.GreeterImplBase() {
    override fun sayHello(
        request: HelloRequest,
        observer: StreamObserver<HelloReply>,
    ) {
        log.info("called")
        observer.onNext(helloReply {})
        observer.onCompleted()
    }
}
