package io.grpcstream.samples.benchmarks

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.doubles.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.string.shouldContain
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.TestInstance
import java.nio.file.Path
import kotlin.time.Duration.Companion.milliseconds

/** That the peers in Go do what they are measured by. */
@Tag("interop")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GoPeersTest {
    private val go = Go.build(Path.of("../interop/go"), Path.of("target")).shouldNotBeNull()

    @AfterAll
    fun end() = go.close()

    @TestFactory
    fun eachVariantIsMeasured(): List<DynamicTest> =
        measures(go).flatMap { measure ->
            measure.variants.filter { it.name.startsWith("go-") }.map { variant ->
                dynamicTest("${measure.name} ${variant.name}") {
                    variant.open().use { probe ->
                        val sample = probe.measure(50.milliseconds)
                        measure.comparisons
                            .filter { it.to == variant.name }
                            .shouldNotBeEmpty()
                            .forEach { sample.getValue(it.figure) shouldBeGreaterThan 0.0 }
                    }
                }
            }
        }

    @Test
    fun anUnknownCommandFailsAndTheNextOneDoesNot() {
        val peers = go.peers("noise")
        val failure =
            shouldThrow<IllegalStateException> {
                peers.probe("dance", Figure.CALLS).measure(1.milliseconds)
            }
        failure.message shouldContain "dance"
        peers.probe("unary 32 1", Figure.CALLS).measure(50.milliseconds).values shouldHaveSize 1
    }
}
