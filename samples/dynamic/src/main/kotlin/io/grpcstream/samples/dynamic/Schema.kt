package io.grpcstream.samples.dynamic

import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.Descriptors.EnumDescriptor
import com.google.protobuf.Descriptors.FieldDescriptor
import com.google.protobuf.Descriptors.FileDescriptor
import com.google.protobuf.Descriptors.GenericDescriptor
import com.google.protobuf.Descriptors.MethodDescriptor
import com.google.protobuf.Descriptors.ServiceDescriptor
import com.google.protobuf.DynamicMessage
import com.google.protobuf.ExtensionRegistry
import com.google.protobuf.util.JsonFormat
import io.grpc.Channel
import io.grpc.Metadata
import java.nio.file.Path

/**
 * Services, and what their messages are made of, known at run time only: what a peer tells of itself by
 * reflection, or what files say of it. Immutable and thread-safe.
 *
 * @property files as they were named or found, those that they import left out
 * @property unusable names of services that there are, but that cannot be called, and why
 */
class Schema internal constructor(
    val files: List<FileDescriptor>,
    val unusable: Map<String, String> = emptyMap(),
) {
    /** The services, by their names. */
    val services: List<ServiceDescriptor> =
        files.flatMap { it.services }.distinctBy { it.fullName }.sortedBy { it.fullName }

    private val allFiles: Collection<FileDescriptor> by lazy { withImports(files) }

    private val symbols: Map<String, GenericDescriptor> by lazy {
        val all = LinkedHashMap<String, GenericDescriptor>()
        for (file in allFiles + StandardFiles.known()) {
            file.services.forEach { service ->
                all.putIfAbsent(service.fullName, service)
                service.methods.forEach { all.putIfAbsent(it.fullName, it) }
            }
            file.enumTypes.forEach { all.putIfAbsent(it.fullName, it) }
            file.extensions.forEach { all.putIfAbsent(it.fullName, it) }
            file.messageTypes.forEach { addMessage(it, all) }
        }
        all
    }

    /** All types of messages that there are, and those that any peer may use, such as error details. */
    val types: JsonFormat.TypeRegistry by lazy {
        JsonFormat.TypeRegistry
            .newBuilder()
            .add(
                symbols.values.filterIsInstance<Descriptor>(),
            ).build()
    }

    /** All extensions of messages (proto2) and options that there are. */
    val extensions: ExtensionRegistry by lazy {
        ExtensionRegistry.newInstance().apply {
            for (extension in symbols.values.filterIsInstance<FieldDescriptor>()) {
                if (extension.javaType == FieldDescriptor.JavaType.MESSAGE) {
                    add(extension, DynamicMessage.getDefaultInstance(extension.messageType))
                } else {
                    add(extension)
                }
            }
        }
    }

    /**
     * The service of that full name, such as `greeter.Greeter`.
     *
     * @throws UnknownSymbolException if there is none; its message lists those that there are
     */
    fun service(name: String): ServiceDescriptor =
        services.find { it.fullName == name }
            ?: throw UnknownSymbolException(
                unusable[name]?.let { "service $name cannot be used: $it" }
                    ?: unknown("service", name, services.map { it.fullName } + unusable.keys),
            )

    /**
     * The method of that name, such as `greeter.Greeter/SayHello`; a dot may stand for the slash.
     *
     * @throws UnknownSymbolException if there is none; its message lists those that there are
     */
    fun method(name: String): MethodDescriptor {
        val slash = if ('/' in name) name.lastIndexOf('/') else name.lastIndexOf('.')
        if (slash <= 0) {
            throw UnknownSymbolException(
                unknown(
                    "method",
                    name,
                    services.flatMap { s ->
                        s.methods.map { "${s.fullName}/${it.name}" }
                    },
                ) +
                    "; a method is named as in pkg.Service/Method",
            )
        }
        val service = service(name.substring(0, slash).removePrefix("/"))
        val method = name.substring(slash + 1)
        return service.findMethodByName(method)
            ?: throw UnknownSymbolException(
                unknown(
                    "method",
                    method,
                    service.methods.map { it.name },
                    " of ${service.fullName}",
                ),
            )
    }

    /**
     * What has that full name: a service, a method (with a dot or a slash), a message, an enum, or an
     * extension.
     *
     * @throws UnknownSymbolException if nothing has; its message lists the nearest
     */
    fun find(symbol: String): GenericDescriptor =
        symbols[symbol.removePrefix(".").replace('/', '.')]
            ?: throw UnknownSymbolException(
                unusable[symbol]?.let { "service $symbol cannot be used: $it" }
                    ?: unknown("symbol", symbol, symbols.keys),
            )

    private fun unknown(
        kind: String,
        name: String,
        all: Collection<String>,
        of: String = "",
    ): String {
        val near = NearMisses.of(name, all)
        val hint =
            when {
                near.isNotEmpty() -> "did you mean ${near.joinToString(" or ")}?"
                all.isEmpty() -> "there is none at all"
                else -> "there ${if (all.size == 1) "is" else "are"} ${listed(all)}"
            }
        return "no $kind \"$name\"$of: $hint"
    }

    private fun listed(all: Collection<String>): String =
        all.take(LISTED).joinToString() +
            if (all.size > LISTED) " and ${all.size - LISTED} more" else ""

    companion object {
        private const val LISTED = 12

        /**
         * What the peer at the other end of [channel] tells of itself: by the reflection service
         * `grpc.reflection.v1`, or `v1alpha` where it knows but that. Within [limits], also of time.
         *
         * Services that the peer names, but whose description is missing or malformed, are [unusable].
         *
         * @param headers go with the call
         * @throws io.grpc.StatusException if the peer has no reflection (`UNIMPLEMENTED`), cannot be
         *   reached, or does not answer in time
         * @throws SchemaException if what it tells exceeds the limits, or makes no sense
         */
        suspend fun reflected(
            channel: Channel,
            headers: Metadata = Metadata(),
            limits: SchemaLimits = SchemaLimits(),
        ): Schema = Reflection(channel, headers, limits).schema()

        /**
         * What protosets say: files of a `FileDescriptorSet`, as `protoc --include_imports
         * --descriptor_set_out` writes it. Blocks on the file system.
         *
         * @throws SchemaException if one cannot be read, or lacks what it imports
         */
        fun ofProtosets(protosets: List<Path>): Schema = Protosets.schema(protosets)

        /**
         * What `.proto` files say, in the syntaxes proto2 and proto3, by a parser in Java. Blocks on the
         * file system. What they import is looked for in [importPaths], by default beside them;
         * `google/protobuf`, `google/api`, `google/rpc` and `google/type` are there by themselves.
         *
         * @param files paths, or names within the import paths
         * @throws SchemaException if one cannot be read or parsed: the message names file and line
         */
        fun ofProtoFiles(
            files: List<Path>,
            importPaths: List<Path> = emptyList(),
        ): Schema = ProtoSources(importPaths).schema(files)

        private fun withImports(files: List<FileDescriptor>): Collection<FileDescriptor> {
            val all = LinkedHashSet<FileDescriptor>()
            val left = ArrayDeque(files)
            while (left.isNotEmpty()) {
                val file = left.removeFirst()
                if (all.add(file)) left += file.dependencies
            }
            return all
        }

        private fun addMessage(
            message: Descriptor,
            all: MutableMap<String, GenericDescriptor>,
        ) {
            if (message.options.mapEntry) return
            all.putIfAbsent(message.fullName, message)
            message.nestedTypes.forEach { addMessage(it, all) }
            message.enumTypes.forEach { type: EnumDescriptor ->
                all.putIfAbsent(type.fullName, type)
            }
            message.extensions.forEach { all.putIfAbsent(it.fullName, it) }
        }
    }
}
