package io.grpcstream.kotlin.gates

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.shouldBe
import java.io.File

/** Holds the examples in KDoc to code of the specs, which is compiled and run. */
class KDocExamplesSpec :
    StringSpec({
        val specs = sources("src/test/kotlin").map { normalized(it.readLines()) }
        val examples =
            sources("src/main/kotlin").flatMap { file ->
                examplesIn(file.readText()).map { file.name to it }
            }

        "there are examples" { examples.shouldNotBeEmpty() }

        "each example is part of a spec, line by line" {
            for ((file, example) in examples) {
                withClue("in $file:\n${example.joinToString("\n")}\nis in no spec") {
                    specs.any { normalized(example) in it } shouldBe true
                }
            }
        }
    })

private val fence = Regex("""```(?:kotlin)?\n(.*?)\n\s*\*\s*```""", RegexOption.DOT_MATCHES_ALL)

private fun sources(directory: String): List<File> =
    File(directory).walk().filter { it.extension == "kt" }.toList()

private fun examplesIn(source: String): List<List<String>> =
    fence
        .findAll(source)
        .map { match ->
            match.groupValues[1].lines().map {
                it
                    .trim()
                    .removePrefix("*")
                    .trim()
            }
        }.toList()

/** The lines without indentation, so that an example may be indented as its place asks for. */
private fun normalized(lines: List<String>): String =
    lines.joinToString("\n", prefix = "\n", postfix = "\n") { it.trim() }
