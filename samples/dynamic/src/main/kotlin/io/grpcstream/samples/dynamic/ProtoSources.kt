package io.grpcstream.samples.dynamic

import com.squareup.wire.schema.ErrorCollector
import com.squareup.wire.schema.Linker
import com.squareup.wire.schema.Loader
import com.squareup.wire.schema.Location
import com.squareup.wire.schema.MessageType
import com.squareup.wire.schema.Options
import com.squareup.wire.schema.ProtoFile
import com.squareup.wire.schema.PruningRules
import com.squareup.wire.schema.internal.parser.ProtoParser
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.invariantSeparatorsPathString
import com.squareup.wire.schema.Schema as WireSchema

/** Reads `.proto` files and what they import, by Wire's parser and linker. */
internal class ProtoSources(
    private val importPaths: List<Path>,
) {
    fun schema(files: List<Path>): Schema {
        val roots =
            importPaths.ifEmpty {
                files.map { it.toAbsolutePath().normalize().parent } + Path.of("")
            }
        val loader = ProtoLoader(roots.distinct())
        val names = files.map(::nameOf).distinct()
        val linked =
            told {
                Linker(
                    loader,
                    ErrorCollector(),
                    permitPackageCycles = true,
                    loadExhaustively = true,
                ).link(names.map(loader::load))
            }
        val described = linked.withoutOwnOptions()
        val encoder = ProtoEncoder(described)
        val descriptors = DescriptorFiles(ORIGIN, LIMITS)
        for (file in described.protoFiles) {
            // What is left out may have been all that a file was imported for.
            val whole = linked.protoFile(file.location.path)!!
            val complete = file.copy(imports = whole.imports, publicImports = whole.publicImports)
            told { descriptors.add(encoder.encode(complete)) }
        }
        return Schema(names.map(descriptors::build))
    }

    /** What a file is called by those that import it. */
    private fun nameOf(file: Path): String {
        if (importPaths.isEmpty()) return file.fileName.toString()
        val absolute = file.toAbsolutePath().normalize()
        val root =
            importPaths
                .map { it.toAbsolutePath().normalize() }
                .find { absolute.startsWith(it) && Files.exists(absolute) }
        return (root?.relativize(absolute) ?: file).invariantSeparatorsPathString
    }

    /**
     * Leaves out options that are defined outside of google's files: Wire's encoder fails where their
     * messages have maps, or times and durations.
     */
    private fun WireSchema.withoutOwnOptions(): WireSchema {
        val own =
            OPTIONS.flatMap { options ->
                (getType(options) as MessageType)
                    .extensionFields
                    .filterNot { it.location.path.startsWith("google/") }
                    .map { "$options#${it.qualifiedName}" }
            }
        return prune(PruningRules.Builder().prune(own).build())
    }

    private fun <T> told(step: () -> T): T =
        try {
            step()
        } catch (e: RuntimeException) {
            // Wire throws several, of which some say nothing of themselves but their name.
            throw SchemaException(e.message ?: e.toString(), e)
        }

    private companion object {
        const val ORIGIN = "the .proto files:"

        /** They are the user's own. */
        val LIMITS = SchemaLimits(bytes = 256L shl 20, files = 100_000)

        val OPTIONS =
            listOf(
                Options.FILE_OPTIONS,
                Options.MESSAGE_OPTIONS,
                Options.FIELD_OPTIONS,
                Options.ONEOF_OPTIONS,
                Options.ENUM_OPTIONS,
                Options.ENUM_VALUE_OPTIONS,
                Options.SERVICE_OPTIONS,
                Options.METHOD_OPTIONS,
            )
    }
}

/**
 * Finds files in [roots]; Google's common ones are in Wire's jar, or in that which has their messages.
 * Wire would look for its own by Okio, which reads no jar that has a script before it.
 */
private class ProtoLoader(
    private val roots: List<Path>,
) : Loader {
    private val loaded = HashMap<String, ProtoFile>()

    override fun load(path: String): ProtoFile =
        loaded.getOrPut(path) {
            val file = roots.map { it.resolve(path) }.find(Files::isRegularFile)
            val text = if (file == null) bundled(path) else read(file)
            ProtoFile.get(ProtoParser.parse(Location.get(path), text))
        }

    private fun read(file: Path): String =
        try {
            Files.readString(file)
        } catch (e: IOException) {
            throw SchemaException("$file cannot be read: ${e.message}", e)
        }

    private fun bundled(name: String): String {
        val resource =
            if (BUNDLED.any(name::startsWith)) javaClass.getResourceAsStream("/$name") else null
        return resource?.use { it.readBytes().decodeToString() } ?: throw SchemaException(
            "there is no $name" +
                loaded.values
                    .find { name in it.imports || name in it.publicImports }
                    ?.let { ", which ${it.location.path} imports," }
                    .orEmpty() +
                " in ${roots.joinToString { it.toAbsolutePath().normalize().toString() }}",
        )
    }

    override fun withErrors(errors: ErrorCollector): Loader = this

    private companion object {
        val BUNDLED = listOf("google/", "wire/")
    }
}
