// Examples of HTTP and of JSON are lines as they are.
@file:Suppress("ktlint:standard:max-line-length")

package io.grpcstream.samples.gateway

import com.google.protobuf.DynamicMessage
import com.google.protobuf.util.JsonFormat
import io.grpc.BindableService
import io.grpc.MethodDescriptor
import io.grpcstream.kotlin.grpcService
import io.grpcstream.samples.dynamic.Schema
import io.grpcstream.samples.dynamic.toGrpc
import kotlinx.coroutines.flow.flowOf
import kotlin.io.path.toPath

/**
 * The service of `library.proto`, of which nothing is generated. It answers with the request that it was
 * called with, as the title of a book.
 */
internal object Library {
    private val service =
        Library::class.java.getResource("/library.proto")!!.toURI().toPath().let {
            Schema.ofProtoFiles(listOf(it)).service("library.Library")
        }

    fun service(): BindableService =
        BindableService {
            grpcService("library.Library") {
                for (method in service.methods) {
                    val grpc: MethodDescriptor<DynamicMessage, DynamicMessage> = method.toGrpc()
                    when (method.name) {
                        "WatchBooks" -> {
                            serverStreaming(grpc) { flowOf(book(it), book(it)) }
                        }

                        "ListBooks" -> {
                            unary(grpc) { request ->
                                val type = method.outputType
                                DynamicMessage
                                    .newBuilder(
                                        type,
                                    ).addRepeatedField(type.findFieldByName("books"), book(request))
                                    .build()
                            }
                        }

                        else -> {
                            unary(grpc) { book(it) }
                        }
                    }
                }
            }
        }

    private fun book(request: DynamicMessage): DynamicMessage {
        val type = service.findMethodByName("GetBook").outputType
        val title = JsonFormat.printer().omittingInsignificantWhitespace().print(request)
        return DynamicMessage
            .newBuilder(
                type,
            ).setField(type.findFieldByName("title"), title)
            .build()
    }
}
