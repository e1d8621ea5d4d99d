package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ServerServiceDefinition
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineImplBase
import io.grpcstream.greeter.GreeterGrpcKt.GreeterCoroutineStub
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.map

/** The stub and the base class that grpc-kotlin generates. */
internal object GeneratedStyle : CallStyle {
    override fun service(lambdas: GreeterLambdas): ServerServiceDefinition =
        object : GreeterCoroutineImplBase() {
            override suspend fun sayHello(request: HelloRequest) =
                reply(lambdas.unary(request.name))

            override fun sayHelloStream(request: HelloRequest) =
                lambdas.serverStreaming(request.name).map(::reply)

            override suspend fun sayHelloMany(requests: Flow<HelloRequest>) =
                reply(lambdas.clientStreaming(requests.map { it.name }))

            override fun chat(requests: Flow<HelloRequest>) =
                lambdas.bidiStreaming(requests.map { it.name }).map(::reply)
        }.bindService()

    override fun client(
        channel: Channel,
        options: CallOptions,
    ): GreeterClient {
        val stub = GreeterCoroutineStub(channel, options)
        return object : GreeterClient {
            override suspend fun unary(request: String) = stub.sayHello(request(request)).message

            override fun serverStreaming(request: String) =
                stub.sayHelloStream(request(request)).map { it.message }

            override suspend fun clientStreaming(requests: Flow<String>) =
                stub.sayHelloMany(requests.map(::request)).message

            override fun bidiStreaming(requests: Flow<String>) =
                stub.chat(requests.map(::request)).map { it.message }
        }
    }

    private fun request(text: String): HelloRequest = helloRequest { name = text }

    private fun reply(text: String): HelloReply = helloReply { message = text }
}
