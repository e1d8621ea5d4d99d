package io.grpcstream.samples.guide

import com.google.rpc.BadRequest
import com.google.rpc.BadRequest.FieldViolation
import io.grpc.Channel
import io.grpc.Metadata
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.ExceptionTypes
import io.grpcstream.GrpcStream
import io.grpcstream.greeter.GreeterGrpc
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import io.grpcstream.kotlin.ResponseMetadata
import io.grpcstream.kotlin.currentCall
import io.grpcstream.kotlin.detail
import io.grpcstream.kotlin.grpcService
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.kotlin.richStatus
import io.grpcstream.kotlin.statusException
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList

// guide: services/kinds
class Greeter : GreeterCoroutineImplBase() {
    // Unary: one request, one response.
    override suspend fun sayHello(request: HelloRequest): HelloReply = greeting(request.name)

    // Server streaming: one request, a flow of responses.
    override fun sayHelloStream(request: HelloRequest): Flow<HelloReply> =
        flow {
            for (part in request.name.split(" ")) emit(greeting(part))
        }

    // Client streaming: a flow of requests, one response.
    override suspend fun sayHelloMany(requests: Flow<HelloRequest>): HelloReply =
        greeting(requests.map { it.name }.toList().joinToString(" and "))

    // Bidirectional: a flow of each, at their own paces.
    override fun chat(requests: Flow<HelloRequest>): Flow<HelloReply> =
        requests.map { greeting(it.name) }

    private fun greeting(who: String) = helloReply { message = "Hello, $who!" }
}
// end

// guide: services/calls
suspend fun callAllKinds(greeter: GreeterCoroutineStub): List<String> {
    val ada = helloRequest { name = "Ada Lovelace" }
    val names = listOf("Ada", "Grace").asFlow().map { helloRequest { name = it } }
    return buildList {
        add(greeter.sayHello(ada).message)
        greeter.sayHelloStream(ada).collect { add(it.message) }
        add(greeter.sayHelloMany(names).message)
        greeter.chat(names).collect { add(it.message) }
    }
}
// end

// guide: services/lambdas
fun greeterOfLambdas() =
    grpcService("greeter.Greeter") {
        unary(GreeterGrpc.getSayHelloMethod()) { request ->
            helloReply { message = "Hello, ${request.name}!" }
        }
        bidiStreaming(GreeterGrpc.getChatMethod()) { requests ->
            requests.map { helloReply { message = "Hello, ${it.name}!" } }
        }
    }
// end

// guide: services/late
fun replaceGreeter(grpc: GrpcStream) {
    grpc.registerService(Greeter()) // from the next call on, instead of the one of the same name
    grpc.unregisterService("greeter.Greeter") // calls fail with UNIMPLEMENTED from now on
}
// end

// guide: services/status
class ChoosyGreeter(
    private val known: Set<String>,
) : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply {
        if (request.name.isEmpty()) {
            val violation = FieldViolation.newBuilder().setField("name")
            val details = BadRequest.newBuilder().addFieldViolations(violation).build()
            throw statusException(Status.Code.INVALID_ARGUMENT, "no name", details)
        }
        if (request.name !in known) {
            throw StatusException(Status.NOT_FOUND.withDescription("no ${request.name} here"))
        }
        return helloReply { message = "Hello, ${request.name}!" }
    }
}
// end

// guide: services/catch
suspend fun whatIsWrong(
    greeter: GreeterCoroutineStub,
    request: HelloRequest,
): String =
    try {
        greeter.sayHello(request).message
    } catch (e: StatusException) {
        val wrongField =
            e
                .richStatus()
                ?.detail<BadRequest>()
                ?.getFieldViolations(0)
                ?.field
        "${e.status.code}: ${e.status.description}, field $wrongField"
    }
// end

// guide: services/map
class UnknownName(
    val name: String,
) : Exception("no $name in the database at 10.0.0.7")

fun mappedGreeter(lookUp: suspend (String) -> String) =
    grpcStream {
        service("greeter.Greeter") {
            unary(GreeterGrpc.getSayHelloMethod()) { helloReply { message = lookUp(it.name) } }
        }
        mapFailure { failure ->
            when (failure) {
                is UnknownName -> Status.NOT_FOUND.withDescription("no ${failure.name}")
                else -> null // as by default: UNKNOWN, without a word
            }
        }
    }
// end

// guide: services/everyday
fun forgivingGreeter() =
    grpcStream {
        service(Greeter())
        mapFailure(ExceptionTypes::statusOf) // IllegalArgumentException is INVALID_ARGUMENT…
    }
// end

// guide: services/metadata
val LANGUAGE: Metadata.Key<String> =
    Metadata.Key.of("language", Metadata.ASCII_STRING_MARSHALLER)
val COST: Metadata.Key<String> = Metadata.Key.of("cost", Metadata.ASCII_STRING_MARSHALLER)

class PolyglotGreeter : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply {
        val call = currentCall()
        val language = call.headers[LANGUAGE] ?: "en" // what the caller claims
        call.responseHeaders.put(LANGUAGE, language)
        call.trailers.put(COST, "7")
        return helloReply {
            message =
                (if (language == "fr") "Bonjour, " else "Hello, ") + request.name
        }
    }
}

suspend fun inFrench(channel: Channel): List<String?> {
    val answered = ResponseMetadata() // for one call
    val greeter = GreeterCoroutineStub(channel).withInterceptors(answered)
    val headers = Metadata().apply { put(LANGUAGE, "fr") }
    val reply = greeter.sayHello(helloRequest { name = "Ada" }, headers)
    return listOf(reply.message, answered.headers()[LANGUAGE], answered.trailers()[COST])
}
// end
