package io.grpcstream.samples.guide

import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.kotlin.grpcStream
import org.slf4j.LoggerFactory
import org.slf4j.bridge.SLF4JBridgeHandler

// guide: logging/bridge
fun logGrpcBySlf4j() { // first of all in main
    SLF4JBridgeHandler.removeHandlersForRootLogger()
    SLF4JBridgeHandler.install()
}
// end

// guide: logging/mdc
class LoggingGreeter : GreeterCoroutineImplBase() {
    private val log = LoggerFactory.getLogger(LoggingGreeter::class.java)

    override suspend fun sayHello(request: HelloRequest): HelloReply {
        log.info("greeting {}", request.name) // with grpc.peer and grpc.method in the MDC
        return helloReply { message = "Hello, ${request.name}!" }
    }
}

fun loggedGreeter(): GrpcStream =
    grpcStream {
        service(LoggingGreeter())
        mdc()
    }
// end
