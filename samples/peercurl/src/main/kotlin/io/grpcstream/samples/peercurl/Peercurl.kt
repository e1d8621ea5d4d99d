package io.grpcstream.samples.peercurl

import io.grpcstream.samples.peercurl.doors.ExposeCommand
import io.grpcstream.samples.peercurl.doors.ForwardCommand
import picocli.CommandLine
import picocli.CommandLine.Command
import picocli.CommandLine.Help.Ansi
import picocli.CommandLine.IVersionProvider
import kotlin.system.exitProcess

/** Looks at peers and calls them, from the command line: see `README.md`. */
fun main(args: Array<String>) {
    exitProcess(commandLine().execute(*args))
}

/** The root command. All subcommands are named here. */
@Command(
    name = "peercurl",
    header = ["curl for libp2p peers that speak gRPC."],
    mixinStandardHelpOptions = true,
    versionProvider = Version::class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = [
        IdCommand::class,
        PingCommand::class,
        ListCommand::class,
        DescribeCommand::class,
        CallCommand::class,
        ForwardCommand::class,
        ExposeCommand::class,
        KeyCommand::class,
        CompletionCommand::class,
    ],
    footer = [
        "",
        "An ADDRESS is a multiaddr that ends in the peer's id, such as",
        "  /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW…",
        "",
        "Exit codes: 0 done, 1 failed, 2 not understood, 64 + N for gRPC's status N",
        "(such as 78 for UNAVAILABLE), 130 interrupted.",
    ],
)
internal class Peercurl

/** A command line that tells errors and ends as all commands do. */
internal fun commandLine(): CommandLine =
    CommandLine(Peercurl()).apply {
        isCaseInsensitiveEnumValuesAllowed = true
        usageHelpWidth = Terminal.columns
        usageHelpLongOptionsMaxWidth = 26
        isExpandAtFiles = false // @FILE is for -d.
        parameterExceptionHandler = UsageErrors
        registerConverter(Target::class.java, Target::parse)
        registerConverter(kotlin.time.Duration::class.java, ::durationOf)
        colorScheme =
            CommandLine.Help.defaultColorScheme(
                if (Terminal.colours(Terminal.STDOUT)) Ansi.ON else Ansi.OFF,
            )
    }

/** The version in the manifest of the jar. */
internal class Version : IVersionProvider {
    override fun getVersion(): Array<String> = arrayOf("peercurl $number")

    companion object {
        val number: String get() =
            Peercurl::class.java.`package`.implementationVersion
                ?: "(no release)"
    }
}
