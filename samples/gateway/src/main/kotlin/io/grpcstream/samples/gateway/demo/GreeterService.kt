package io.grpcstream.samples.gateway.demo

import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList

/** Greets in all four kinds of call. */
internal class GreeterService : GreeterCoroutineImplBase() {
    override suspend fun sayHello(request: HelloRequest): HelloReply =
        greeting("Hello", request.name)

    override fun sayHelloStream(request: HelloRequest): Flow<HelloReply> =
        listOf("Hello", "Bonjour", "Hej").asFlow().map { greeting(it, request.name) }

    override suspend fun sayHelloMany(requests: Flow<HelloRequest>): HelloReply =
        greeting("Hello", requests.map { it.name }.toList().joinToString(" and "))

    override fun chat(requests: Flow<HelloRequest>): Flow<HelloReply> =
        requests.map {
            greeting("Hello", it.name)
        }

    private fun greeting(
        word: String,
        name: String,
    ): HelloReply = helloReply { message = "$word, $name!" }
}
