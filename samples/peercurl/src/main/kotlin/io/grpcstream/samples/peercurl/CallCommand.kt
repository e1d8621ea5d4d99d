package io.grpcstream.samples.peercurl

import com.google.protobuf.DynamicMessage
import com.google.protobuf.Message
import io.grpc.Channel
import io.grpc.Deadline
import io.grpc.ManagedChannel
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpc.MethodDescriptor.MethodType
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.kotlin.bidiStreaming
import io.grpcstream.kotlin.clientStreaming
import io.grpcstream.kotlin.serverStreaming
import io.grpcstream.kotlin.unary
import io.grpcstream.kotlin.withInterceptors
import io.grpcstream.samples.dynamic.ErrorDetails
import io.grpcstream.samples.dynamic.JsonMessages
import io.grpcstream.samples.dynamic.Schema
import io.grpcstream.samples.dynamic.kind
import io.grpcstream.samples.dynamic.toGrpc
import kotlinx.coroutines.CoroutineScope
import picocli.CommandLine.Command
import picocli.CommandLine.Mixin
import picocli.CommandLine.Option
import picocli.CommandLine.Parameters
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.nanoseconds

/** Calls a method. */
@Command(
    name = "call",
    header = ["Call a method: requests and responses are JSON."],
    description = [
        "Requests are JSON values, one after the other. Those from stdin are sent as they come, " +
            "and responses are printed as they come. Without -d, one empty request is sent, " +
            "or none where the method takes a stream. Exits with 64 + N for gRPC's status N.",
    ],
)
internal class CallCommand : DialingCommand() {
    @Mixin
    lateinit var calls: CallOptions

    @Mixin
    lateinit var sources: SchemaOptions

    @Parameters(index = "1", paramLabel = "METHOD", description = ["Such as pkg.Service/Method."])
    lateinit var method: String

    @Option(
        names = ["-d", "--data"],
        paramLabel = "JSON|@|@FILE",
        description = ["The requests: JSON itself, @ for stdin, @FILE for a file."],
    )
    var data: String? = null

    @Option(
        names = ["--compression"],
        paramLabel = "NAME",
        description = ["Compress requests, by gzip."],
    )
    var compression: String? = null

    @Option(names = ["--defaults"], description = ["Print fields that are not set, too."])
    var defaults: Boolean = false

    @Option(
        names = ["--max-message"],
        paramLabel = "BYTES",
        description = ["The largest response to take (default: 4 MiB)."],
    )
    var maxMessage: Int? = null

    override val maxMessageBytes: Int get() = maxMessage ?: super.maxMessageBytes

    override suspend fun CoroutineScope.run(): Int {
        val headers = calls.metadata()
        val deadline =
            calls.deadline?.let {
                Deadline.after(
                    it.inWholeNanoseconds,
                    TimeUnit.NANOSECONDS,
                )
            }
        compression?.let {
            if (it !in COMPRESSIONS) throw Failure.usage("--compression $it: expected gzip")
        }
        val known = sources.ofFiles()
        known?.method(method) // Before anyone is dialled.
        return withChannel { channel ->
            val schema = known ?: reflected(channel, headers, deadline)
            Call(schema, channel, headers, deadline).run()
            Exit.OK
        }
    }

    private suspend fun reflected(
        channel: ManagedChannel,
        headers: Metadata,
        deadline: Deadline?,
    ): Schema =
        console.progress("asking ${target.short} for its services …").use {
            val left = deadline?.timeRemaining(TimeUnit.NANOSECONDS)?.coerceAtLeast(1)?.nanoseconds
            SchemaOptions.reflected(channel, headers, left)
        }

    private inner class Call(
        private val schema: Schema,
        channel: ManagedChannel,
        private val headers: Metadata,
        deadline: Deadline?,
    ) {
        private val descriptor = schema.method(method)
        private val grpc: MethodDescriptor<DynamicMessage, DynamicMessage> =
            descriptor.toGrpc(
                schema.extensions,
            )
        private val log = CallLog(console)
        private val channel: Channel = channel.withInterceptors(log)
        private val messages = JsonMessages(schema, defaults)
        private val printed = if (console.json) messages.compact() else messages
        private val requests = Requests(data, descriptor.inputType, messages)
        private val options =
            io.grpc.CallOptions.DEFAULT
                .withDeadline(deadline)
                .withCompression(compression)

        suspend fun run() {
            if (requests.typed && !console.json) {
                console.note(
                    console.errStyle.faint(
                        "requests as JSON, one after the other; Ctrl-D ends them",
                    ),
                )
            }
            try {
                when (descriptor.kind) {
                    MethodType.UNARY -> {
                        print(channel.unary(grpc, single(), options, headers))
                    }

                    MethodType.SERVER_STREAMING -> {
                        channel.serverStreaming(grpc, single(), options, headers).collect(::print)
                    }

                    MethodType.CLIENT_STREAMING -> {
                        print(channel.clientStreaming(grpc, requests.all(), options, headers))
                    }

                    else -> {
                        channel
                            .bidiStreaming(
                                grpc,
                                requests.all(),
                                options,
                                headers,
                            ).collect(::print)
                    }
                }
                log.ended()
            } catch (e: StatusException) {
                log.ended()
                throw failure(e)
            }
        }

        private suspend fun single() =
            requests.single("${descriptor.service.fullName}/${descriptor.name}")

        private fun print(message: Message) {
            console.println(printed.print(message))
            console.verbose {
                val unknown = messages.unknownFields(message)
                if (unknown.isEmpty()) return@print
                "* unknown to ${descriptor.outputType.fullName}, not shown: ${unknown.joinToString()}"
            }
        }

        private fun failure(e: StatusException): Failure {
            val details = ErrorDetails.json(e.trailers, messages)
            val compact = ErrorDetails.json(e.trailers, messages.compact())
            return Failure(
                e.status.description ?: "",
                Exit.of(e.status),
                e.status.code,
                details = details.flatMap { it.lines() } + hints(e.status),
                json =
                    if (compact.isEmpty()) {
                        emptyMap()
                    } else {
                        mapOf(
                            "details" to compact.toString(),
                        )
                    },
                cause = e,
            )
        }

        private fun hints(status: Status): List<String> =
            if (status.code == Status.Code.RESOURCE_EXHAUSTED &&
                "exceeds maximum" in status.description.orEmpty()
            ) {
                listOf("--max-message allows for larger ones")
            } else {
                emptyList()
            }
    }

    private companion object {
        val COMPRESSIONS = listOf("gzip", "identity")
    }
}
