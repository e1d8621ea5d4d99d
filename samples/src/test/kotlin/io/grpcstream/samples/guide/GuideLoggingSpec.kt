package io.grpcstream.samples.guide

import io.grpcstream.CallScope
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import org.slf4j.bridge.SLF4JBridgeHandler
import java.io.ByteArrayOutputStream
import java.io.PrintStream
import java.util.logging.LogManager
import java.util.logging.Logger

class GuideLoggingSpec :
    StringSpec({
        timeout = 120_000

        "the bridge brings gRPC's lines to SLF4J, in Kotlin and in Java" {
            for (bridge in listOf({ logGrpcBySlf4j() }, { Logging.logGrpcBySlf4j() })) {
                val root = LogManager.getLogManager().getLogger("")
                val handlers = root.handlers
                try {
                    bridge()
                    root.handlers.map { it.javaClass } shouldBe
                        listOf(SLF4JBridgeHandler::class.java)
                    val line =
                        printed {
                            Logger
                                .getLogger(
                                    "io.grpc.netty.NettyServerHandler",
                                ).warning("on purpose")
                        }
                    // As slf4j-simple has it, and not java.util.logging.
                    line shouldContain Regex("WARN \\S*NettyServerHandler - on purpose")
                } finally {
                    SLF4JBridgeHandler.uninstall()
                    handlers.forEach(root::addHandler)
                }
            }
        }

        // slf4j-simple keeps no MDC; what is put there is asserted on by tests of the core.
        "with mdc() a call has a scope that its log lines are written in, in Kotlin and in Java" {
            guidePeers {
                val caller = calling()
                for (grpc in listOf(loggedGreeter(), Logging.logged(Services.Greeter()))) {
                    val greeter = caller.greeterAt(serving(grpc))
                    greeter.sayHello(hello("Ada")).message shouldBe "Hello, Ada!"
                    grpc.registerService(ScopedGreeter())
                    greeter.sayHello(hello("Ada")).message shouldBe "in a scope: true"
                }
            }
        }
    })

private class ScopedGreeter : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply =
        helloReply { message = "in a scope: ${CallScope.current() != null}" }
}

/** What [task] prints to standard error. */
private fun printed(task: () -> Unit): String {
    val before = System.err
    val bytes = ByteArrayOutputStream()
    System.setErr(PrintStream(bytes, true))
    try {
        task()
    } finally {
        System.setErr(before)
    }
    return bytes.toString()
}
