package io.grpcstream.samples.dynamic

import com.google.protobuf.ByteString
import com.google.protobuf.DescriptorProtos.FileDescriptorProto
import com.google.protobuf.InvalidProtocolBufferException
import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpc.Status
import io.grpc.StatusException
import io.grpc.reflection.v1.ServerReflectionGrpc
import io.grpc.reflection.v1.ServerReflectionRequest
import io.grpc.reflection.v1.ServerReflectionResponse
import io.grpc.reflection.v1.ServerReflectionResponse.MessageResponseCase
import io.grpcstream.kotlin.bidiStreaming
import kotlinx.coroutines.channels.ReceiveChannel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.consumeAsFlow
import kotlinx.coroutines.flow.produceIn
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.channels.Channel as Queue

private typealias ReflectionMethod =
    MethodDescriptor<ServerReflectionRequest, ServerReflectionResponse>

/** Asks a peer for all of its services, in one call of the reflection service. */
internal class Reflection(
    private val channel: Channel,
    private val headers: Metadata,
    private val limits: SchemaLimits,
) {
    private val options =
        CallOptions.DEFAULT.withDeadlineAfter(
            limits.time.inWholeMilliseconds,
            TimeUnit.MILLISECONDS,
        )

    suspend fun schema(): Schema =
        try {
            schema(V1)
        } catch (e: StatusException) {
            if (e.status.code != Status.Code.UNIMPLEMENTED) throw e
            try {
                schema(V1_ALPHA)
            } catch (second: StatusException) {
                throw if (second.status.code ==
                    Status.Code.UNIMPLEMENTED
                ) {
                    withoutReflection(e)
                } else {
                    second
                }
            }
        }

    private suspend fun schema(method: ReflectionMethod): Schema =
        coroutineScope {
            val requests = Queue<ServerReflectionRequest>(Queue.UNLIMITED)
            val responses =
                channel
                    .bidiStreaming(method, requests.consumeAsFlow(), options, headers)
                    .buffer(Queue.RENDEZVOUS) // Each may be some MiB.
                    .produceIn(this)
            try {
                Conversation(requests, responses).schema()
            } finally {
                requests.close()
                responses.cancel()
            }
        }

    private fun withoutReflection(e: StatusException): StatusException =
        StatusException(
            Status.UNIMPLEMENTED
                .withDescription(
                    "the peer does not tell its services: it serves neither " +
                        "${V1.serviceName} nor ${V1_ALPHA.serviceName} (${e.status.description})",
                ).withCause(e),
            e.trailers,
        )

    private inner class Conversation(
        private val requests: Queue<ServerReflectionRequest>,
        private val responses: ReceiveChannel<ServerReflectionResponse>,
    ) {
        private val files = DescriptorFiles("the peer", limits)
        private val unusable = LinkedHashMap<String, String>()

        suspend fun schema(): Schema {
            val names = services()
            val fileOf = LinkedHashMap<String, String>()
            ask(names, { fileContainingSymbol = it }) { service, answer ->
                firstFile(
                    answer,
                ).fold({ fileOf[service] = it }, { unusable[service] = it.message!! })
            }
            fetchImports()
            val usable = LinkedHashSet<com.google.protobuf.Descriptors.FileDescriptor>()
            for ((service, file) in fileOf) {
                try {
                    val built = files.build(file)
                    if (built.services.any { it.fullName == service }) {
                        usable += built
                    } else {
                        unusable[service] = "the peer says that it is in $file, where it is not"
                    }
                } catch (e: SchemaException) {
                    unusable[service] = e.message!!
                }
            }
            return Schema(usable.toList(), unusable)
        }

        private suspend fun services(): List<String> {
            var names = emptyList<String>()
            ask(listOf(""), { listServices = "" }) { _, answer ->
                if (!answer.hasListServicesResponse()) throw nonsense(answer, "services")
                names =
                    answer.listServicesResponse.serviceList
                        .map { it.name }
                        .distinct()
            }
            if (names.size > limits.services) {
                throw SchemaException(
                    "the peer names %,d services, limit %,d".format(names.size, limits.services),
                )
            }
            return names
        }

        /** Asks for imports, and those of imports, until nothing is missing that the peer has. */
        private suspend fun fetchImports() {
            val asked = HashSet<String>()
            while (true) {
                val missing = files.missingImports() - asked
                if (missing.isEmpty()) return
                asked += missing
                // One that it does not have is told of where it is missed.
                ask(missing.toList(), { fileByFilename = it }) { _, answer -> firstFile(answer) }
            }
        }

        /** Sends a request for each of [subjects], and waits for as many answers. */
        private suspend fun ask(
            subjects: List<String>,
            request: ServerReflectionRequest.Builder.(String) -> Unit,
            answered: (String, ServerReflectionResponse) -> Unit,
        ) {
            for (batch in subjects.chunked(BATCH)) {
                batch.forEach {
                    requests.send(
                        ServerReflectionRequest.newBuilder().apply { request(it) }.build(),
                    )
                }
                for (subject in batch) {
                    val answer = responses.receiveCatching()
                    answered(subject, answer.getOrNull() ?: throw endOf(answer.exceptionOrNull()))
                }
            }
        }

        private fun endOf(failure: Throwable?): Throwable =
            failure ?: SchemaException("the peer ended the reflection call without an answer")

        /** Takes the files of an answer, of which the first is the one that was asked for. */
        private fun firstFile(answer: ServerReflectionResponse): Result<String> =
            when (answer.messageResponseCase) {
                MessageResponseCase.FILE_DESCRIPTOR_RESPONSE -> {
                    try {
                        val all = answer.fileDescriptorResponse.fileDescriptorProtoList.map(::parse)
                        all.forEach(files::add)
                        all.firstOrNull()?.let { Result.success(it.name) }
                            ?: unusable("the peer's description of it is empty")
                    } catch (e: InvalidProtocolBufferException) {
                        unusable("the peer's description of it is malformed: ${e.message}")
                    }
                }

                MessageResponseCase.ERROR_RESPONSE -> {
                    val error = answer.errorResponse
                    val code = Status.fromCodeValue(error.errorCode).code
                    unusable("the peer does not describe it: $code: ${shown(error.errorMessage)}")
                }

                else -> {
                    throw nonsense(answer, "a file")
                }
            }

        private fun unusable(why: String): Result<String> = Result.failure(SchemaException(why))

        private fun parse(bytes: ByteString): FileDescriptorProto =
            FileDescriptorProto.parseFrom(bytes, StandardFiles.options)

        /** A peer's words are kept for each of its services. */
        private fun shown(text: String): String =
            if (text.length <=
                SHOWN
            ) {
                text
            } else {
                text.take(SHOWN) + "…"
            }

        private fun nonsense(
            answer: ServerReflectionResponse,
            wanted: String,
        ): Exception {
            val error = answer.errorResponse
            return if (answer.hasErrorResponse()) {
                val status = Status.fromCodeValue(error.errorCode)
                StatusException(status.withDescription(shown(error.errorMessage)))
            } else {
                SchemaException(
                    "asked for $wanted, the peer answered ${answer.messageResponseCase}",
                )
            }
        }
    }

    private companion object {
        /** How many requests are sent before their answers are waited for. */
        const val BATCH = 32

        const val SHOWN = 500

        val V1: ReflectionMethod =
            ServerReflectionGrpc.getServerReflectionInfoMethod()

        /** On the wire, its messages are the same. */
        val V1_ALPHA: ReflectionMethod =
            V1
                .toBuilder()
                .setFullMethodName("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
                .build()
    }
}
