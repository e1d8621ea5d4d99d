package io.grpcstream.samples.shop

/**
 * What a process is told: by `--name value` on its command line, or else by `SHOP_NAME` in its
 * environment.
 */
class Settings private constructor(
    private val given: Map<String, String>,
    private val environment: Map<String, String>,
) {
    private val asked = mutableSetOf<String>()

    /** What was said of [name], or null. */
    fun textOrNull(name: String): String? {
        asked += name
        return (given[name] ?: environment["SHOP_${name.uppercase()}"])?.ifEmpty { null }
    }

    /** What was said of [name], or [default]. */
    fun text(
        name: String,
        default: String,
    ): String = textOrNull(name) ?: default

    /** The same, as a list between commas. */
    fun list(
        name: String,
        default: String,
    ): List<String> = text(name, default).split(',').map { it.trim() }.filter { it.isNotEmpty() }

    /** Fails with [IllegalArgumentException] if something was said on the command line that nobody has asked for. */
    fun requireNoOthers() {
        val others = given.keys - asked
        require(others.isEmpty()) {
            "there is no ${others.joinToString { "--$it" }}, but ${asked.joinToString { "--$it" }}"
        }
    }

    /** Reads settings. */
    companion object {
        /** The settings in [args]; throws [IllegalArgumentException] if they are no pairs of name and value. */
        fun of(
            args: Array<String>,
            environment: Map<String, String> = System.getenv(),
        ): Settings {
            require(
                args.size % 2 == 0,
            ) { "expected pairs of --name and value: ${args.joinToString(" ")}" }
            val given =
                args.toList().chunked(2).associate { (name, value) ->
                    require(name.startsWith("--")) { "expected --name instead of $name" }
                    name.removePrefix("--") to value
                }
            return Settings(given, environment)
        }
    }
}
