package io.grpcstream.samples.peercurl

import io.grpcstream.samples.dynamic.Schema
import kotlinx.coroutines.CoroutineScope
import picocli.CommandLine.Mixin

/** A command that shows what services there are. */
internal abstract class SchemaCommand : DialingCommand() {
    @Mixin
    lateinit var calls: CallOptions

    @Mixin
    lateinit var sources: SchemaOptions

    final override suspend fun CoroutineScope.run(): Int {
        val schema =
            sources.ofFiles() ?: withChannel { channel ->
                console.progress("asking ${target.short} for its services …").use {
                    SchemaOptions.reflected(channel, calls.metadata(), calls.deadline)
                }
            }
        show(schema)
        return Exit.OK
    }

    protected abstract fun show(schema: Schema)
}
