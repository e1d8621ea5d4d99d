package io.grpcstream.samples.guide

import io.grpc.BindableService
import io.grpc.Codec
import io.grpc.DecompressorRegistry
import io.grpc.Metadata
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.grpcstream.GrpcPeer
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.withDeadline
import kotlinx.coroutines.flow.first
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

// guide: calls/deadline
suspend fun greetTwo(
    greeter: GreeterCoroutineStub,
    within: Duration = 20.seconds,
): List<HelloReply> =
    withDeadline(within) {
        // for both together
        listOf("Ada", "Grace").map { greeter.sayHello(helloRequest { name = it }) }
    }
// end

// guide: calls/inherit
class ForwardingGreeter(
    private val other: GreeterCoroutineStub,
) : GreeterCoroutineImplBase() {
    // Ends when our caller's deadline passes, or when it gives up; so does the call to the other.
    override suspend fun sayHello(request: HelloRequest): HelloReply = other.sayHello(request)
}
// end

// guide: calls/cancel
suspend fun firstGreeting(greeter: GreeterCoroutineStub): HelloReply =
    greeter.sayHelloStream(helloRequest { name = "Ada Grace Edsger" }).first()
// end

// guide: calls/wait
suspend fun greetOnceThere(greeter: GreeterCoroutineStub): HelloReply =
    withDeadline(60.seconds) {
        greeter.withWaitForReady().sayHello(helloRequest { name = "Ada" })
    }
// end

// guide: calls/size
private const val LARGEST = 16 * 1024 * 1024

fun peerOfLargeMessages(service: BindableService): GrpcPeer =
    grpcPeer {
        listen("/memory/0")
        serve {
            service(service)
            configure { configureServer { it.maxInboundMessageSize(LARGEST) } } // requests
        }
        channels { maxInboundMessageSize(LARGEST) } // responses
    }
// end

// guide: calls/gzip
suspend fun greetCompressed(
    greeter: GreeterCoroutineStub,
    request: HelloRequest,
): HelloReply = greeter.withCompression("gzip").sayHello(request)

/** Compresses responses, for callers that say they take it; all of gRPC's do. */
object GzipResponses : ServerInterceptor {
    override fun <Q, R> interceptCall(
        call: ServerCall<Q, R>,
        headers: Metadata,
        next: ServerCallHandler<Q, R>,
    ): ServerCall.Listener<Q> {
        call.setCompression("gzip")
        return next.startCall(call, headers)
    }
}

fun compressingGreeter() =
    grpcStream {
        service(Greeter())
        intercept(GzipResponses)
    }
// end

// guide: calls/plain
fun greeterThatTakesNoGzip() =
    grpcStream {
        service(Greeter())
        configure {
            configureServer {
                it.decompressorRegistry(
                    DecompressorRegistry.emptyInstance().with(Codec.Identity.NONE, false),
                )
            }
        }
    }
// end
