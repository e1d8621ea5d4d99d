package io.grpcstream.samples.dynamic

import com.google.protobuf.DescriptorProtos.FileDescriptorProto
import com.google.protobuf.Descriptors.FileDescriptor
import com.squareup.wire.schema.Location
import com.squareup.wire.schema.internal.parser.ProtoFileElement
import com.squareup.wire.schema.internal.parser.ProtoParser
import java.io.IOException
import java.nio.file.Files
import java.nio.file.NoSuchFileException
import java.nio.file.Path
import kotlin.io.path.invariantSeparatorsPathString

/**
 * Reads `.proto` files and what they import. They are made into descriptors twice: first without
 * options of their own making, whose definitions are among what is being read, then with them.
 */
internal class ProtoSources(
    private val importPaths: List<Path>,
) {
    private val parsed = LinkedHashMap<String, ProtoFileElement>()

    fun schema(files: List<Path>): Schema {
        val names = files.map(::nameOf)
        names.forEach { (name, roots) -> load(name, roots, importer = null) }
        val plain = DescriptorFiles(ORIGIN, LIMITS)
        parsed.values.forEach { plain.add(ProtoFileConverter(it, StandardOptions).convert()) }
        val definitions = parsed.keys.associateWith(plain::build)
        val complete = DescriptorFiles(ORIGIN, LIMITS)
        for ((name, element) in parsed) {
            val options = DefinedOptions(definitions.getValue(name))
            val file = ProtoFileConverter(element, options).convert()
            // Those that are known to everyone become what generated code has for them.
            complete.add(FileDescriptorProto.parseFrom(file.toByteString(), StandardFiles.options))
        }
        return Schema(names.map { (name, _) -> file(name, complete) })
    }

    private fun file(
        name: String,
        files: DescriptorFiles,
    ): FileDescriptor = files.build(name)

    /** What a file is called by those that import it, and where it, and what it imports, is looked for. */
    private fun nameOf(file: Path): Pair<String, List<Path>> {
        if (importPaths.isEmpty()) {
            val parent = file.toAbsolutePath().normalize().parent
            return file.fileName.toString() to listOf(parent, Path.of(""))
        }
        val absolute = file.toAbsolutePath().normalize()
        val root = importPaths.find { absolute.startsWith(it.toAbsolutePath().normalize()) }
        val name =
            if (root != null && Files.exists(absolute)) {
                root.toAbsolutePath().normalize().relativize(absolute)
            } else {
                file
            }
        return name.invariantSeparatorsPathString to importPaths
    }

    private fun load(
        name: String,
        roots: List<Path>,
        importer: String?,
    ) {
        if (name in parsed ||
            (importer != null && StandardFiles.missing(name) != null && find(name, roots) == null)
        ) {
            return
        }
        val source = read(name, roots, importer)
        val element =
            try {
                ProtoParser.parse(Location.get(name), source)
            } catch (e: IllegalStateException) {
                throw SchemaException(e.message ?: "$name cannot be parsed", e)
            } catch (e: IllegalArgumentException) {
                throw SchemaException("$name: ${e.message}", e)
            }
        parsed[name] = element
        (element.imports + element.publicImports + element.weakImports).forEach {
            load(
                it,
                roots,
                name,
            )
        }
    }

    private fun read(
        name: String,
        roots: List<Path>,
        importer: String?,
    ): String {
        val file = find(name, roots)
        try {
            if (file != null) return Files.readString(file)
        } catch (e: IOException) {
            throw SchemaException("$file cannot be read: ${e.message}", e)
        }
        return bundled(name) ?: throw SchemaException(
            "there is no $name" + (importer?.let { ", which $it imports," } ?: "") +
                " in ${roots.joinToString { it.toAbsolutePath().normalize().toString() }}",
            NoSuchFileException(name),
        )
    }

    private fun find(
        name: String,
        roots: List<Path>,
    ): Path? = roots.map { it.resolve(name) }.find(Files::isRegularFile)

    /** Google's common files are in the jar that has their messages. */
    private fun bundled(name: String): String? {
        if (!name.startsWith("google/")) return null
        return ProtoSources::class.java.getResourceAsStream("/$name")?.use {
            it.readBytes().decodeToString()
        }
    }

    private companion object {
        const val ORIGIN = "the .proto files:"

        /** They are the user's own. */
        val LIMITS = SchemaLimits(bytes = 256L shl 20, files = 100_000)
    }
}
