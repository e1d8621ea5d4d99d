package io.grpcstream.kotlin

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ServerServiceDefinition
import io.grpcstream.greeter.GreeterGrpcKt
import io.grpcstream.greeter.HelloReply
import io.grpcstream.greeter.HelloRequest
import io.grpcstream.greeter.helloReply
import io.grpcstream.greeter.helloRequest
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.map

/** Calls on the channel itself, and a service from lambdas. */
internal object OwnStyle : CallStyle {
    override fun service(lambdas: GreeterLambdas): ServerServiceDefinition =
        grpcService("greeter.Greeter") {
            unary(GreeterGrpcKt.sayHelloMethod) { request -> reply(lambdas.unary(request.name)) }
            serverStreaming(GreeterGrpcKt.sayHelloStreamMethod) { request ->
                lambdas.serverStreaming(request.name).map(::reply)
            }
            clientStreaming(GreeterGrpcKt.sayHelloManyMethod) { requests ->
                reply(lambdas.clientStreaming(requests.map { it.name }))
            }
            bidiStreaming(GreeterGrpcKt.chatMethod) { requests ->
                lambdas.bidiStreaming(requests.map { it.name }).map(::reply)
            }
        }

    override fun client(
        channel: Channel,
        options: CallOptions,
    ): GreeterClient =
        object : GreeterClient {
            override suspend fun unary(request: String) =
                channel.unary(GreeterGrpcKt.sayHelloMethod, request(request), options).message

            override fun serverStreaming(request: String) =
                channel
                    .serverStreaming(GreeterGrpcKt.sayHelloStreamMethod, request(request), options)
                    .map { it.message }

            override suspend fun clientStreaming(requests: Flow<String>) =
                channel
                    .clientStreaming(
                        GreeterGrpcKt.sayHelloManyMethod,
                        requests.map(::request),
                        options,
                    ).message

            override fun bidiStreaming(requests: Flow<String>) =
                channel
                    .bidiStreaming(GreeterGrpcKt.chatMethod, requests.map(::request), options)
                    .map { it.message }
        }

    private fun request(text: String): HelloRequest = helloRequest { name = text }

    private fun reply(text: String): HelloReply = helloReply { message = text }
}
