package io.grpcstream.samples.guide

import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.flow

// guide: back-pressure/service
class EndlessGreeter(
    private val greeting: suspend () -> String,
) : GreeterCoroutineImplBase() {
    override fun sayHelloStream(request: HelloRequest): Flow<HelloReply> =
        flow {
            while (true) {
                emit(helloReply { message = greeting() }) // suspends while the caller does not read
            }
        }
}
// end

// guide: back-pressure/caller
suspend fun readAll(
    greeter: GreeterCoroutineStub,
    store: suspend (String) -> Unit,
) {
    greeter.sayHelloStream(helloRequest { name = "Ada" }).collect {
        store(it.message) // while this takes its time, the service is held up
    }
}
// end

// guide: back-pressure/operators
fun ahead(replies: Flow<HelloReply>): Flow<HelloReply> = replies.buffer(100)

fun newest(replies: Flow<HelloReply>): Flow<HelloReply> = replies.conflate() // drops what is late
// end
