package io.grpcstream.samples.dynamic

import com.google.protobuf.DescriptorProtos.DescriptorProto
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto
import com.google.protobuf.DescriptorProtos.FileDescriptorProto
import com.google.protobuf.Descriptors.DescriptorValidationException
import com.google.protobuf.Descriptors.FileDescriptor

/**
 * Makes descriptors of files in their wire form, whoever wrote them: each after those that it imports,
 * within [limits].
 *
 * @param origin whose files they are, for the messages of failures
 */
internal class DescriptorFiles(
    private val origin: String,
    private val limits: SchemaLimits = SchemaLimits(),
) {
    private val protos = LinkedHashMap<String, FileDescriptorProto>()
    private val built = HashMap<String, Result<FileDescriptor>>()
    private var bytes = 0L
    private var lookups = 0L

    /** The names of the files, in the order in which they came. */
    val names: Set<String> get() = protos.keys

    /**
     * Takes a file, unless there is one of that name.
     *
     * @throws SchemaException if it is too much
     */
    fun add(file: FileDescriptorProto) {
        if (file.name in protos || StandardFiles.own(file.name) != null) return
        bytes += file.serializedSize
        if (bytes > limits.bytes) {
            fail("has more than %,d bytes of descriptors".format(limits.bytes))
        }
        if (protos.size >= limits.files) {
            fail("has more than %,d files".format(limits.files))
        }
        lookups += Names(file).check()
        if (lookups > SchemaLimits.LOOKUPS) {
            fail("refers to names that are nested or imported too much to be looked up")
        }
        protos[file.name] = file
    }

    /** The imports of all files that are neither there nor known to everyone. */
    fun missingImports(): Set<String> =
        protos.values
            .flatMap { it.dependencyList }
            .filterTo(LinkedHashSet()) { it !in protos && StandardFiles.missing(it) == null }

    /**
     * The descriptor of the file of that name.
     *
     * @throws SchemaException if it, or one that it imports, is missing, imports itself or is malformed
     */
    fun build(name: String): FileDescriptor = build(name, LinkedHashSet())

    private fun build(
        name: String,
        importers: LinkedHashSet<String>,
    ): FileDescriptor {
        StandardFiles.own(name)?.let { return it }
        built[name]?.let { return it.getOrThrow() }
        if (name in
            importers
        ) {
            fail(
                "has files that import each other: ${(importers.toList() + name).joinToString(
                    " → ",
                )}",
            )
        }
        if (importers.size > MAX_DEPTH) fail("has imports more than $MAX_DEPTH deep")
        val proto =
            protos[name]
                ?: return StandardFiles.missing(name) ?: failMissing(name, importers.lastOrNull())
        importers += name
        val result =
            try {
                val imports = proto.dependencyList.distinct().map { build(it, importers) }
                Result.success(link(proto, imports))
            } catch (e: SchemaException) {
                Result.failure(e)
            }
        importers -= name
        built[name] = result
        return result.getOrThrow()
    }

    private fun link(
        proto: FileDescriptorProto,
        imports: List<FileDescriptor>,
    ): FileDescriptor =
        try {
            FileDescriptor.buildFrom(proto, imports.toTypedArray(), false)
        } catch (e: DescriptorValidationException) {
            throw SchemaException("$origin: ${proto.name} is malformed: ${e.message}", e)
        } catch (e: RuntimeException) {
            // What its checks do not foresee.
            throw SchemaException("$origin: ${proto.name} is malformed: $e", e)
        }

    private fun failMissing(
        name: String,
        importer: String?,
    ): Nothing =
        fail(
            if (importer ==
                null
            ) {
                "has no file $name"
            } else {
                "does not have $name, which $importer imports"
            },
        )

    private fun fail(what: String): Nothing = throw SchemaException("$origin $what")

    /** The names in one file: none too long, and how often others will be searched for them. */
    private inner class Names(
        private val file: FileDescriptorProto,
    ) {
        private var lookups = 0L
        private val reach = file.dependencyCount + 1L

        fun check(): Long {
            short(file.name)
            val scope = short(file.`package`)
            file.dependencyList.forEach(::short)
            file.messageTypeList.forEach { message(it, scope) }
            file.enumTypeList.forEach { enumeration(it, scope) }
            file.extensionList.forEach { field(it, scope) }
            for (service in file.serviceList) {
                val inside = within(scope, service.name)
                for (method in service.methodList) {
                    reference(method.inputType, within(inside, method.name))
                    reference(method.outputType, inside)
                }
            }
            return lookups
        }

        private fun message(
            message: DescriptorProto,
            scope: String,
        ) {
            val inside = within(scope, message.name)
            message.fieldList.forEach { field(it, inside) }
            message.extensionList.forEach { field(it, inside) }
            message.nestedTypeList.forEach { message(it, inside) }
            message.enumTypeList.forEach { enumeration(it, inside) }
        }

        private fun enumeration(
            type: EnumDescriptorProto,
            scope: String,
        ) {
            val inside = within(scope, type.name)
            type.valueList.forEach { within(inside, it.name) }
        }

        private fun field(
            field: FieldDescriptorProto,
            scope: String,
        ) {
            within(scope, field.name)
            reference(field.typeName, scope)
            reference(field.extendee, scope)
        }

        /** A name that begins with a dot is looked up once, any other one in each scope around it. */
        private fun reference(
            name: String,
            scope: String,
        ) {
            if (name.isEmpty()) return
            short(name)
            lookups += reach * if (name.startsWith('.')) 1 else scope.count { it == '.' } + 2
        }

        private fun within(
            scope: String,
            name: String,
        ): String = short(if (scope.isEmpty()) name else "$scope.$name")

        private fun short(name: String): String {
            if (name.length > SchemaLimits.NAME_CHARACTERS) {
                fail(
                    "has a name of %,d characters, limit %,d: %s…"
                        .format(name.length, SchemaLimits.NAME_CHARACTERS, name.take(SHOWN)),
                )
            }
            return name
        }
    }

    private companion object {
        const val MAX_DEPTH = 500
        const val SHOWN = 60
    }
}
