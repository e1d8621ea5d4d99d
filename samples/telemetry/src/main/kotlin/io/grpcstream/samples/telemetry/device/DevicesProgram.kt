package io.grpcstream.samples.telemetry.device

import io.grpcstream.samples.chat.linesInBackground
import io.grpcstream.samples.telemetry.Arguments
import io.grpcstream.samples.telemetry.Settings
import io.grpcstream.samples.telemetry.run
import kotlin.io.path.Path
import kotlin.io.path.createDirectories
import kotlin.time.Duration.Companion.seconds

private val ARGUMENTS =
    mapOf(
        "collector" to "the address of the collector, as it prints it",
        "keys" to "the folder of the devices' keys, made if there is none; default: devices",
        "name" to "what the devices' names begin with; default: device",
        "count" to "how many devices; default: 10",
        "interval" to "the time between two rounds of readings; default: 1s",
        "buffer" to "how many readings wait in a device at most; default: 1000",
    )

/**
 * Runs devices until it is interrupted (Ctrl-C, SIGTERM) or standard input ends. There, `drain` waits
 * until they have nothing left to tell (which never is, unless they are paused), and then prints what
 * has become of each one's readings.
 */
fun main(args: Array<String>) {
    val arguments = Arguments(args, ARGUMENTS)
    val folder = Path(arguments.text("keys", "devices"))
    val count = arguments.count("count", default = 10)
    val name = arguments.text("name", "device")
    val collector = arguments.peerAddress("collector")
    val settings = Settings(arguments.duration("interval", 1.seconds))
    val buffer = arguments.count("buffer", default = 1_000)
    run {
        folder.createDirectories()
        DeviceFleet(name, folder, count, collector, settings, buffer).use { fleet ->
            val running = fleet.start(this)
            println("$count devices run")
            for (order in System.`in`.bufferedReader().linesInBackground()) {
                if (order.trim() == "drain") {
                    fleet.awaitDrained()
                    fleet.devices.forEach { println(it.countsText()) }
                } else {
                    println("no order: \"$order\"; there is \"drain\"")
                }
            }
            running.cancel()
            running.join()
        }
    }
}

private fun Device.countsText(): String =
    with(counts()) { "counts $peer $run measured $measured stored $stored dropped $dropped" }
