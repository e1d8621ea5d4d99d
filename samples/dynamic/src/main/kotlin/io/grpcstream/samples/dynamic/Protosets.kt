package io.grpcstream.samples.dynamic

import com.google.protobuf.DescriptorProtos.FileDescriptorSet
import com.google.protobuf.InvalidProtocolBufferException
import java.io.IOException
import java.nio.file.Files
import java.nio.file.NoSuchFileException
import java.nio.file.Path

/** Reads files of the message `google.protobuf.FileDescriptorSet`. */
internal object Protosets {
    /** A user's own files may be larger than what a peer may send. */
    private val limits = SchemaLimits(bytes = 256L shl 20, files = 100_000)

    fun schema(protosets: List<Path>): Schema {
        val files = DescriptorFiles("protoset ${protosets.joinToString()}", limits)
        protosets.forEach { read(it).fileList.forEach(files::add) }
        return Schema(files.names.map(files::build))
    }

    private fun read(file: Path): FileDescriptorSet =
        try {
            FileDescriptorSet.parseFrom(Files.readAllBytes(file), StandardFiles.options)
        } catch (e: InvalidProtocolBufferException) {
            throw SchemaException("$file is no protoset: ${e.message}", e)
        } catch (e: NoSuchFileException) {
            throw SchemaException("$file: there is no such file", e)
        } catch (e: IOException) {
            throw SchemaException("$file cannot be read: ${e.message}", e)
        }
}
