package io.grpcstream.samples.peercurl

import io.grpcstream.samples.dynamic.NearMisses
import picocli.CommandLine
import picocli.CommandLine.IParameterExceptionHandler
import picocli.CommandLine.ParameterException

/** Tells what is wrong with a command line, and where to read more; exits with [Exit.USAGE]. */
internal object UsageErrors : IParameterExceptionHandler {
    override fun handleParseException(
        failure: ParameterException,
        args: Array<out String>,
    ): Int {
        val command = failure.commandLine
        if (command.commandSpec.userObject() is Peercurl && args.isEmpty()) {
            command.usage(System.err, command.colorScheme)
            return Exit.USAGE
        }
        val unknown = unknownCommand(failure)
        val message =
            if (unknown == null) {
                failure.message ?: "not understood"
            } else {
                val near = NearMisses.of(unknown, command.subcommands.keys)
                val hint =
                    if (near.isEmpty()) {
                        ""
                    } else {
                        ": did you mean ${near.joinToString(
                            " or ",
                        )}?"
                    }
                "there is no command \"$unknown\"$hint"
            }
        val hints = listOf("try: ${command.commandSpec.qualifiedName()} --help")
        Console(json = "--json" in args).tell(Failure(message.trim(), Exit.USAGE, details = hints))
        return Exit.USAGE
    }

    private fun unknownCommand(failure: ParameterException): String? =
        (failure as? CommandLine.UnmatchedArgumentException)
            ?.takeIf { it.commandLine.commandSpec.userObject() is Peercurl }
            ?.unmatched
            ?.firstOrNull()
            ?.takeUnless { it.startsWith("-") }
}
