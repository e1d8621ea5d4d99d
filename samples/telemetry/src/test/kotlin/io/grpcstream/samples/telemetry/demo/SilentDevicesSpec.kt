package io.grpcstream.samples.telemetry.demo

import io.grpcstream.samples.SampleProcess
import io.grpcstream.samples.telemetry.collector.CollectorLimits
import io.grpcstream.samples.telemetry.withCollector
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import java.io.File
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private const val DEVICES = 3

/** Devices whose process is stopped: as if their network was gone, nothing closes their connections. */
class SilentDevicesSpec :
    StringSpec({
        "devices that fall silent are noticed, and are back when they are heard of again".config(
            enabled = File(KILL).canExecute(),
        ) {
            val limits = CollectorLimits(keepAlive = 500.milliseconds, patience = 5.seconds)
            withCollector(limits = limits, listen = "/ip4/127.0.0.1/tcp/0") { watched ->
                val arguments =
                    listOf(
                        "--collector=${watched.address}",
                        "--keys=${tempdir().toPath()}",
                        "--count=$DEVICES",
                        "--interval=100ms",
                    )
                SampleProcess(MAIN, arguments).use { devices ->
                    val before = watched.viewer.await { it.summary.online == DEVICES }
                    devices.signal("STOP")
                    watched.viewer.await { it.summary.online == 0 }
                    devices.signal("CONT")
                    val after = watched.viewer.await { it.summary.online == DEVICES }
                    after.devices.keys shouldBe before.devices.keys
                }
            }
        }
    })

private fun SampleProcess.signal(name: String) {
    ProcessBuilder(KILL, "-$name", "${process.pid()}").inheritIO().start().waitFor() shouldBe 0
}

private const val KILL = "/bin/kill"
private const val MAIN = "io.grpcstream.samples.telemetry.device.DevicesProgramKt"
