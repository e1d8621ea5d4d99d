package io.grpcstream.samples.dynamic

import com.google.protobuf.ByteString
import com.google.protobuf.DescriptorProtos.DescriptorProto
import com.google.protobuf.DescriptorProtos.FileDescriptorProto
import com.google.protobuf.DynamicMessage
import io.grpc.MethodDescriptor
import io.grpc.ServerServiceDefinition
import io.grpc.Status
import io.grpc.StatusException
import io.grpc.reflection.v1.FileDescriptorResponse
import io.grpc.reflection.v1.ServerReflectionGrpc
import io.grpc.reflection.v1.ServerReflectionRequest
import io.grpc.reflection.v1.ServerReflectionRequest.MessageRequestCase
import io.grpc.reflection.v1.ServerReflectionResponse
import io.grpcstream.greeter.GreeterProto
import io.grpcstream.kotlin.bidiStreaming
import io.grpcstream.kotlin.clientStreaming
import io.grpcstream.kotlin.serverStreaming
import io.grpcstream.kotlin.unary
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.maps.shouldContainKey
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlin.time.Duration.Companion.milliseconds

/** A reflection service that answers what it likes. */
private fun reflection(
    method: MethodDescriptor<ServerReflectionRequest, ServerReflectionResponse> =
        ServerReflectionGrpc.getServerReflectionInfoMethod(),
    answers: (Flow<ServerReflectionRequest>) -> Flow<ServerReflectionResponse>,
): ServerServiceDefinition =
    io.grpcstream.kotlin.grpcService(method.serviceName!!) { bidiStreaming(method, answers) }

private fun services(vararg names: String): ServerReflectionResponse =
    ServerReflectionResponse
        .newBuilder()
        .apply {
            val services = listServicesResponseBuilder
            names.forEach { services.addServiceBuilder().setName(it) }
        }.build()

private fun files(vararg files: ByteString): ServerReflectionResponse =
    ServerReflectionResponse
        .newBuilder()
        .setFileDescriptorResponse(
            FileDescriptorResponse.newBuilder().addAllFileDescriptorProto(files.toList()),
        ).build()

/** One that names a service, and answers all else by [answer]. */
private fun reflecting(
    name: String,
    answer: (ServerReflectionRequest) -> ServerReflectionResponse,
): ServerServiceDefinition =
    reflection { requests ->
        requests.map {
            if (it.messageRequestCase ==
                MessageRequestCase.LIST_SERVICES
            ) {
                services(name)
            } else {
                answer(it)
            }
        }
    }

private fun file(
    name: String,
    vararg imports: String,
    configure: FileDescriptorProto.Builder.() -> Unit = { },
): ByteString =
    FileDescriptorProto
        .newBuilder()
        .setName(name)
        .setSyntax("proto3")
        .addAllDependency(imports.toList())
        .apply(configure)
        .build()
        .toByteString()

class ReflectionSpec :
    StringSpec({
        "services are found by reflection, and all four kinds called without generated code" {
            withPeer(Greeter(), configure = { reflection() }) { channel ->
                val schema = Schema.reflected(channel)
                schema.services.map { it.fullName } shouldContainExactly
                    listOf(
                        "greeter.Greeter",
                        "grpc.reflection.v1.ServerReflection",
                        "grpc.reflection.v1alpha.ServerReflection",
                    )
                schema.service("greeter.Greeter").methods.map { it.name } shouldContainExactly
                    listOf("SayHello", "SayHelloStream", "SayHelloMany", "Chat")
                val json = JsonMessages(schema).compact()
                val hello = schema.method("greeter.Greeter/SayHello")
                val ada = json.parse("""{"name": "Ada"}""", hello.inputType)
                val bob = json.parse("""{"name": "Bob"}""", hello.inputType)

                fun replies(messages: List<DynamicMessage>) = messages.map(json::print)
                json.print(channel.unary(hello.toGrpc(), ada)) shouldBe
                    """{"message":"Hello, Ada!"}"""
                val stream = schema.method("greeter.Greeter.SayHelloStream").toGrpc()
                replies(channel.serverStreaming(stream, ada).toList()) shouldContainExactly
                    listOf("""{"message":"Hello, Ada!"}""", """{"message":"Bonjour, Ada!"}""")
                val many = schema.method("greeter.Greeter/SayHelloMany").toGrpc()
                json.print(channel.clientStreaming(many, flowOf(ada, bob))) shouldBe
                    """{"message":"Hello, Ada, Bob!"}"""
                val chat = schema.method("/greeter.Greeter/Chat").toGrpc()
                replies(channel.bidiStreaming(chat, flowOf(ada, bob)).toList()) shouldContainExactly
                    listOf("""{"message":"Hello, Ada!"}""", """{"message":"Hello, Bob!"}""")
            }
        }

        "a peer that knows but v1alpha is asked by that" {
            val alpha =
                ServerReflectionGrpc
                    .getServerReflectionInfoMethod()
                    .toBuilder()
                    .setFullMethodName(
                        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                    ).build()
            val served =
                reflection(alpha) { requests ->
                    requests.map {
                        if (it.hasListServices()) {
                            services("greeter.Greeter")
                        } else {
                            files(GreeterProto.getDescriptor().toProto().toByteString())
                        }
                    }
                }
            withPeer(bindable(served)) { channel ->
                Schema.reflected(channel).services.map { it.fullName } shouldContainExactly
                    listOf("greeter.Greeter")
            }
        }

        "a peer without reflection is told as such" {
            withPeer(Greeter()) { channel ->
                val failure = shouldThrow<StatusException> { Schema.reflected(channel) }
                failure.status.code shouldBe Status.Code.UNIMPLEMENTED
                failure.status.description shouldContain
                    "neither grpc.reflection.v1.ServerReflection nor"
            }
        }

        "imports that come one by one are fetched, those known to everyone need not come" {
            val all =
                mapOf(
                    "a.proto" to
                        file("a.proto", "b.proto", "google/protobuf/empty.proto") {
                            addServiceBuilder()
                                .setName("S")
                                .addMethodBuilder()
                                .setName("M")
                                .setInputType(".google.protobuf.Empty")
                                .setOutputType(".B")
                        },
                    "b.proto" to
                        file(
                            "b.proto",
                        ) { addMessageType(DescriptorProto.newBuilder().setName("B")) },
                )
            val served =
                reflecting("S") { files(all.getValue(it.fileByFilename.ifEmpty { "a.proto" })) }
            withPeer(bindable(served)) { channel ->
                val schema = Schema.reflected(channel)
                schema.unusable shouldBe emptyMap()
                schema.method("S/M").outputType.fullName shouldBe "B"
            }
        }

        "a service that the peer cannot describe does not hide the others" {
            val served =
                reflection { requests ->
                    requests.map {
                        when {
                            it.hasListServices() -> {
                                services("greeter.Greeter", "odd.Odd")
                            }

                            it.fileContainingSymbol == "odd.Odd" -> {
                                ServerReflectionResponse
                                    .newBuilder()
                                    .apply {
                                        errorResponseBuilder
                                            .setErrorCode(
                                                5,
                                            ).setErrorMessage("what?")
                                    }.build()
                            }

                            else -> {
                                files(GreeterProto.getDescriptor().toProto().toByteString())
                            }
                        }
                    }
                }
            withPeer(bindable(served)) { channel ->
                val schema = Schema.reflected(channel)
                schema.services.map { it.fullName } shouldContainExactly listOf("greeter.Greeter")
                shouldThrow<UnknownSymbolException> {
                    schema.service(
                        "odd.Odd",
                    )
                }.message shouldContain
                    "NOT_FOUND: what?"
            }
        }

        "imports in a circle or amiss, and malformed files, make their service unusable" {
            val cases =
                listOf(
                    "that import each other" to
                        mapOf(
                            "a.proto" to file("a.proto", "b.proto"),
                            "b.proto" to file("b.proto", "a.proto"),
                        ),
                    "does not have b.proto, which a.proto imports" to
                        mapOf(
                            "a.proto" to file("a.proto", "b.proto"),
                            "b.proto" to file("c.proto"),
                        ),
                    "is malformed" to
                        mapOf(
                            "a.proto" to
                                file("a.proto") {
                                    val message = addMessageTypeBuilder().setName("M")
                                    message
                                        .addFieldBuilder()
                                        .setName(
                                            "f",
                                        ).setNumber(1)
                                        .setTypeName("Nowhere")
                                },
                        ),
                    "description of it is malformed" to
                        mapOf("a.proto" to ByteString.copyFromUtf8("no descriptor")),
                    "description of it is empty" to emptyMap(),
                    "where it is not" to mapOf("a.proto" to file("a.proto")),
                )
            for ((expected, all) in cases) {
                val served =
                    reflecting("S") { request ->
                        val asked = request.fileByFilename.ifEmpty { "a.proto" }
                        files(*listOfNotNull(all[asked]).toTypedArray())
                    }
                withPeer(bindable(served)) { channel ->
                    val schema = Schema.reflected(channel)
                    schema.services.shouldBeEmpty()
                    schema.unusable.shouldContainKey("S")
                    schema.unusable.getValue("S") shouldContain expected
                }
            }
        }

        "more files, bytes, services, names or look-ups than the limits are refused" {
            var made = 0
            val endless = reflecting("S") { files(file("f${made++}.proto", "f$made.proto")) }
            val large =
                reflecting("S") {
                    files(
                        file("f${made++}.proto", "f$made.proto") { setPackage("p".repeat(1_000)) },
                    )
                }
            val longName =
                reflecting("S") { files(file("a.proto") { setPackage("p.".repeat(10_000)) }) }
            val crowd = reflection { it.map { services(*Array(100) { n -> "S$n" }) } }
            val tangled =
                reflecting("S") {
                    files(
                        file("a.proto", *Array(2_000) { "f$it.proto" }) {
                            setPackage(List(500) { "p" }.joinToString("."))
                            val message = addMessageTypeBuilder().setName("M")
                            repeat(200) {
                                message
                                    .addFieldBuilder()
                                    .setName(
                                        "f$it",
                                    ).setNumber(it + 1)
                                    .setTypeName("M")
                            }
                        },
                    )
                }
            val cases =
                listOf(
                    Triple(endless, SchemaLimits(files = 50), "more than 50 files"),
                    Triple(large, SchemaLimits(bytes = 20_000), "more than 20,000 bytes"),
                    Triple(longName, SchemaLimits(), "has a name of"),
                    Triple(crowd, SchemaLimits(services = 10), "names 100 services, limit 10"),
                    Triple(tangled, SchemaLimits(), "nested or imported too much"),
                )
            for ((served, limits, expected) in cases) {
                withPeer(bindable(served)) { channel ->
                    shouldThrow<SchemaException> {
                        Schema.reflected(
                            channel,
                            limits = limits,
                        )
                    }.message shouldContain
                        expected
                }
            }
        }

        "a peer that answers nothing, nonsense, or without end costs no more than the time limit" {
            val silent = reflection { flow { awaitCancellation() } }
            withPeer(bindable(silent)) { channel ->
                val limits = SchemaLimits(time = 300.milliseconds)
                shouldThrow<StatusException> {
                    Schema.reflected(
                        channel,
                        limits = limits,
                    )
                }.status.code shouldBe
                    Status.Code.DEADLINE_EXCEEDED
            }
            val babbling = reflection { flow { while (true) emit(services()) } }
            withPeer(bindable(babbling)) { channel ->
                Schema.reflected(channel).services.shouldBeEmpty()
            }
            val ending = reflection { flow { } }
            withPeer(bindable(ending)) { channel ->
                shouldThrow<SchemaException> { Schema.reflected(channel) }.message shouldContain
                    "without an answer"
            }
            val nonsense = reflection { it.map { files() } }
            withPeer(bindable(nonsense)) { channel ->
                shouldThrow<SchemaException> { Schema.reflected(channel) }.message shouldContain
                    "asked for services, the peer answered FILE_DESCRIPTOR_RESPONSE"
            }
        }
    })
