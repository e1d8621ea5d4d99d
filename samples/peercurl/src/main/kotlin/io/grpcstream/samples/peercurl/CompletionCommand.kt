package io.grpcstream.samples.peercurl

import kotlinx.coroutines.CoroutineScope
import picocli.AutoComplete
import picocli.CommandLine
import picocli.CommandLine.Command
import picocli.CommandLine.Model.CommandSpec
import picocli.CommandLine.Parameters
import java.nio.file.Path

/** What shells need to complete command lines. */
@Command(
    name = "completion",
    header = ["Print completion of commands for a shell."],
    description = [
        "  bash:  source <(peercurl completion bash)",
        "  zsh:   source <(peercurl completion zsh)",
        "  fish:  peercurl completion fish | source",
    ],
)
internal class CompletionCommand : PeercurlCommand() {
    @Parameters(index = "0", paramLabel = "SHELL", description = ["bash, zsh or fish."])
    lateinit var shell: Shell

    override suspend fun CoroutineScope.run(): Int {
        val commands = commandLine()
        val script =
            when (shell) {
                Shell.BASH -> AutoComplete.bash(NAME, commands)

                // It runs in zsh, too, which has to be told that it is bash's.
                Shell.ZSH -> "$ZSH_IS_BASH\n${AutoComplete.bash(NAME, commands)}"

                Shell.FISH -> fish(commands)
            }
        console.print(script.toByteArray())
        return Exit.OK
    }

    private fun fish(commands: CommandLine): String =
        buildString {
            append("complete -c $NAME -f\n")
            for ((name, command) in commands.subcommands) {
                val spec = command.commandSpec
                append(
                    "complete -c $NAME -n __fish_use_subcommand -a $name -d ${quoted(
                        summary(spec),
                    )}\n",
                )
                options(name, spec)
            }
        }

    private fun StringBuilder.options(
        command: String,
        spec: CommandSpec,
    ) {
        for (option in spec.options()) {
            append("complete -c $NAME -n '__fish_seen_subcommand_from $command'")
            for (name in option.names()) {
                append(if (name.startsWith("--")) " -l ${name.drop(2)}" else " -s ${name.drop(1)}")
            }
            if (option.arity().max() >
                0
            ) {
                append(if (option.type() == Path::class.java) " -r -F" else " -x")
            }
            append(" -d ${quoted(option.description().joinToString(" "))}\n")
        }
    }

    private fun summary(spec: CommandSpec): String = spec.usageMessage().header().first()

    private fun quoted(text: String): String = "'${text.replace("\\", "\\\\").replace("'", "\\'")}'"

    private companion object {
        const val NAME = "peercurl"
        const val ZSH_IS_BASH =
            "autoload -U +X compinit && compinit\n" +
                "autoload -U +X bashcompinit && bashcompinit"
    }
}

/** Those that can be helped. */
internal enum class Shell { BASH, ZSH, FISH }
