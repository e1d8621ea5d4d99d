package io.grpcstream.samples.telemetry.demo

import io.grpcstream.samples.SampleProcess
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** Runs the sample as its users do: in processes of its own, of which one is killed. */
class TelemetryDemoSpec :
    StringSpec({
        "with a slow store, a device configured and a fleet killed, all that was measured adds up" {
            val lines = mutableListOf<String>()
            val demo =
                TelemetryDemo(
                    tempdir().toPath(),
                    say = { line -> lines += line.substringAfter(" s  ").also { println(line) } },
                    devices = 8,
                    look = 200.milliseconds,
                )
            val addsUp =
                withContext(Dispatchers.Default) { withTimeout(3.minutes) { demo.run() } }
            lines shouldContain "24 devices of 3 processes are online; none of them listens"
            lines shouldContain "fleet south is killed"
            lines shouldContain "  it is started again: the same 8 devices are online"
            lines shouldContain "  it adds up"
            addsUp shouldBe true
        }

        "who gives an argument that there is not is told which there are" {
            for ((program, wrong) in listOf(
                "collector.CollectorProgramKt" to "--sotre=readings.db",
                "collector.CollectorProgramKt" to "--slow-store=soon",
                "device.DevicesProgramKt" to "--collector=/ip4/192.0.2.1/tcp/4001",
                "device.DevicesProgramKt" to "--count=0",
            )) {
                val arguments = listOf(wrong)
                SampleProcess("io.grpcstream.samples.telemetry.$program", arguments).use {
                    it.await(Regex(Regex.escape(wrong))) shouldContain wrong
                    it.awaitExit() shouldBe 2
                }
            }
        }
    })
