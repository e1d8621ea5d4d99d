package io.grpcstream.samples.peercurl

import io.grpc.Channel
import io.grpc.Metadata
import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.samples.dynamic.Schema
import io.grpcstream.samples.dynamic.SchemaLimits
import picocli.CommandLine.Option
import java.nio.file.Path
import kotlin.time.Duration

/** Where services are described: by the peer itself, by reflection, unless files are named. */
internal class SchemaOptions {
    @Option(
        names = ["--proto"],
        paramLabel = "FILE",
        description = ["A .proto file, for peers without reflection. Repeatable."],
    )
    var protos: List<Path> = emptyList()

    @Option(
        names = ["--import-path"],
        paramLabel = "DIR",
        description = ["Where .proto files and their imports are. Repeatable."],
    )
    var importPaths: List<Path> = emptyList()

    @Option(
        names = ["--protoset"],
        paramLabel = "FILE",
        description = ["A file of 'protoc --include_imports --descriptor_set_out'. Repeatable."],
    )
    var protosets: List<Path> = emptyList()

    /** The schema that files describe, or null if none are named: then the peer has to be asked. */
    fun ofFiles(): Schema? {
        if (protos.isNotEmpty() && protosets.isNotEmpty()) {
            throw Failure.usage("--proto and --protoset: one of them")
        }
        return when {
            protosets.isNotEmpty() -> Schema.ofProtosets(protosets)
            protos.isNotEmpty() -> Schema.ofProtoFiles(protos, importPaths)
            importPaths.isNotEmpty() -> throw Failure.usage("--import-path: which --proto?")
            else -> null
        }
    }

    companion object {
        /** What the peer at the other end of [channel] tells of itself, within that time. */
        suspend fun reflected(
            channel: Channel,
            headers: Metadata,
            time: Duration?,
        ): Schema {
            val limits = if (time == null) SchemaLimits() else SchemaLimits(time = time)
            try {
                return Schema.reflected(channel, headers, limits)
            } catch (e: StatusException) {
                if (e.status.code != Status.Code.UNIMPLEMENTED) throw e
                throw Failure.of(
                    e.status,
                    listOf("name its .proto files by --proto, or a --protoset"),
                )
            }
        }
    }
}
