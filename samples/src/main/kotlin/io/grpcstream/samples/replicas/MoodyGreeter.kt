package io.grpcstream.samples.replicas

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.map
import kotlin.time.Duration.Companion.minutes

/** A greeter that can be made to greet slowly, or not at all. */
internal class MoodyGreeter : GreeterCoroutineImplBase() {
    /** How it greets from now on. */
    @Volatile
    var mood: Mood = Mood.WELL

    override suspend fun sayHello(request: HelloRequest): HelloReply {
        when (mood) {
            Mood.WELL, Mood.NOT_SERVING -> Unit
            Mood.SLOW -> delay(1.minutes)
            Mood.FAILING -> throw StatusException(Status.INTERNAL.withDescription("told to fail"))
        }
        return helloReply { message = "Hello, ${request.name}!" }
    }

    override fun chat(requests: Flow<HelloRequest>): Flow<HelloReply> =
        requests.map { sayHello(it) }
}
