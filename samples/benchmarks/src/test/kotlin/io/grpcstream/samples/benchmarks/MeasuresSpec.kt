package io.grpcstream.samples.benchmarks

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeUnique
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.doubles.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldMatch
import kotlin.time.Duration.Companion.milliseconds

/** That everything can be measured; what comes out is for the benchmark itself. */
class MeasuresSpec :
    FunSpec({
        val briefly = Effort(warmUps = 0, rounds = 1, window = 20.milliseconds)
        val measures = measures(go = null)

        for (measure in measures) {
            test("${measure.name} is measured of each variant, and each ratio comes of it") {
                val result =
                    Measure(
                        measure.name,
                        measure.variants,
                        measure.comparisons,
                    ).run(briefly)
                result.variants shouldBe measure.variants.map { it.name }.toSet()
                for (comparison in measure.comparisons.filterNot { it.to.startsWith("go-") }) {
                    withClue(measure.nameOf(comparison)) {
                        result.ratios(comparison).shouldNotBeNull().single() shouldBeGreaterThan 0.0
                    }
                }
            }
        }

        test("names are machine-readable, and none is given twice") {
            val names = measures.flatMap { measure -> measure.comparisons.map(measure::nameOf) }
            names.shouldBeUnique().forEach { it shouldMatch Regex("[a-z0-9:/-]+") }
        }

        test("the short form has every bound") {
            val bounds =
                measures.flatMap { measure ->
                    measure.comparisons
                        .filter { it.atLeast != null || it.atMost != null }
                        .map { measure to it }
                }
            bounds.shouldNotBeEmpty()
            for ((measure, bound) in bounds.filterNot { (_, it) -> it.to.startsWith("go-") }) {
                withClue(measure.nameOf(bound)) {
                    val inShort = measure.variants.filter { it.inShort }.map { it.name }
                    val needed =
                        if (bound.fixed ==
                            null
                        ) {
                            listOf(bound.of, bound.to)
                        } else {
                            listOf(bound.of)
                        }
                    (measure.inShort && inShort.containsAll(needed)) shouldBe true
                }
            }
        }

        test("a ratio is that of each round, and a failing variant fails the run") {
            val doubled = Variant("doubled") { counting(2.0) }
            val plain = Variant("plain") { counting(1.0) }
            val comparison = Comparison(Figure.CALLS, "doubled", "plain")
            val result =
                Measure(
                    "counting",
                    listOf(plain, doubled),
                    listOf(comparison),
                ).run(Effort(1, 3, briefly.window))
            result.ratios(comparison) shouldBe listOf(2.0, 2.0, 2.0)
            result.median("plain", Figure.CALLS) shouldBe 3.0

            val failing = Variant("failing") { error("no such transport") }
            runCatching { Measure("failing", listOf(plain, failing), emptyList()).run(briefly) }
                .exceptionOrNull()
                .shouldNotBeNull()
                .message shouldBe "no such transport"
        }
    })

/** Gives [factor], then twice that, and so on. */
private fun counting(factor: Double) =
    object : Probe {
        private var round = 0

        override fun measure(window: kotlin.time.Duration): Sample =
            mapOf(Figure.CALLS to ++round * factor)

        override fun close() = Unit
    }
