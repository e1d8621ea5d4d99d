package io.grpcstream.samples.telemetry.collector

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TestTimeSource

class PaceSpec :
    StringSpec({
        "so much may be taken at once, and what is more is waited for" {
            val time = TestTimeSource()
            val pace = Pace(perSecond = 10, burst = 20, time)
            pace.takeNow(20) shouldBe Duration.ZERO
            pace.takeNow(5) shouldBe 500.milliseconds
            pace.takeNow(5) shouldBe 1.seconds
            time += 1.seconds
            pace.takeNow(1) shouldBe 100.milliseconds
        }

        "who keeps to the pace never waits, and long silence gives no more than a burst" {
            val time = TestTimeSource()
            val pace = Pace(perSecond = 10, burst = 20, time)
            repeat(1_000) {
                pace.takeNow(10) shouldBe Duration.ZERO
                time += 1.seconds
            }
            time += 100.hours
            pace.takeNow(20) shouldBe Duration.ZERO
            pace.takeNow(1) shouldBe 100.milliseconds
        }
    })
