package io.grpcstream.samples.peercurl

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
        val near = mutableListOf<String>()
        if (failure is CommandLine.UnmatchedArgumentException && !failure.isUnknownOption) {
            near += failure.suggestions
        }
        val message = (failure.message ?: "not understood").trim()
        val hints =
            near.map { "did you mean: $it" } +
                "try: ${command.commandSpec.qualifiedName()} --help"
        Console(json = "--json" in args).tell(Failure(message, Exit.USAGE, details = hints))
        return Exit.USAGE
    }
}
