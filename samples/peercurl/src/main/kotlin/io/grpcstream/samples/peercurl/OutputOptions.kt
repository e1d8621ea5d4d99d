package io.grpcstream.samples.peercurl

import picocli.CommandLine.Option

/** How a command tells its results: of every command. */
internal class OutputOptions {
    @Option(
        names = ["--json"],
        description = ["For machines: one JSON value a line, errors too."],
    )
    var json: Boolean = false

    @Option(
        names = ["-v", "--verbose"],
        description = ["Tell more, on standard error; -vv: all that is logged."],
    )
    var verbose: BooleanArray = BooleanArray(0)

    @Option(names = ["-h", "--help"], usageHelp = true, description = ["Show this help."])
    var help: Boolean = false

    val console: Console by lazy { Console(json, verbose.size) }
}
