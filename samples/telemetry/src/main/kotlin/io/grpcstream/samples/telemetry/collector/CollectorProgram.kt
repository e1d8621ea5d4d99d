package io.grpcstream.samples.telemetry.collector

import io.grpcstream.samples.chat.linesInBackground
import io.grpcstream.samples.telemetry.Arguments
import io.grpcstream.samples.telemetry.run
import io.grpcstream.samples.telemetry.store.SlowStore
import io.grpcstream.samples.telemetry.store.SqliteStore
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlin.io.path.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

private val ARGUMENTS =
    mapOf(
        "key" to "the file of its key, made if there is none; default: collector.key",
        "listen" to "where it listens; default: /ip4/127.0.0.1/tcp/0",
        "store" to "the file of its readings, made if there is none; default: readings.db",
        "slow-store" to "how much longer each transaction takes, such as 500ms; default: 0s",
        "devices" to "a file of the peer ids that may report; default: anybody may",
        "viewers" to "a file of the peer ids that may watch and configure; default: anybody may",
        "silence" to "after how long a silent device is asked for a sign of life; default: 10s",
        "transaction" to "how many readings go into one transaction; default: 4096",
    )

private val TELL_EACH = 5.seconds

/**
 * Collects until it is interrupted (Ctrl-C, SIGTERM) or standard input ends. There, `store 500ms` makes
 * the store slower by so much, and `store 0s` as fast as it is.
 */
fun main(args: Array<String>) {
    val arguments = Arguments(args, ARGUMENTS)
    val key = arguments.text("key", "collector.key")
    val listen = arguments.text("listen", "/ip4/127.0.0.1/tcp/0")
    val delay = arguments.duration("slow-store", Duration.ZERO)
    val admission = Admission(arguments.peers("devices"), arguments.peers("viewers"))
    val defaults = CollectorLimits()
    val limits =
        defaults.copy(
            keepAlive = arguments.duration("silence", defaults.keepAlive),
            transaction = arguments.count("transaction", defaults.transaction),
        )
    val readings = Path(arguments.text("store", "readings.db"))
    run {
        SqliteStore(readings).use { file ->
            val store = SlowStore(file, delay)
            val collector = Collector(store, limits, admission)
            collector.run({
                identity(Path(key))
                listen(listen)
            }) { peer ->
                peer.addresses().forEach { println("collecting at $it") }
                val telling = launch { tell(collector.fleet) }
                for (order in System.`in`.bufferedReader().linesInBackground()) {
                    obey(order.trim(), store)
                }
                telling.cancel()
            }
        }
    }
}

private suspend fun tell(fleet: Fleet) {
    var last: Summary? = null
    while (true) {
        delay(TELL_EACH)
        val summary = fleet.devices().summary()
        if (summary != last) {
            println(summary.text())
        }
        last = summary
    }
}

private fun Summary.text(): String =
    "$online of $devices devices are online; %.0f readings/s; ".format(rate) +
        "$stored stored, $dropped dropped, $waiting wait in devices"

private fun obey(
    order: String,
    store: SlowStore,
) {
    val delay = order.removePrefix("store ").let(Duration::parseOrNull)
    if (!order.startsWith("store ") || delay == null || delay.isNegative()) {
        println("no order: \"$order\"; there is \"store 500ms\"")
    } else {
        store.delay = delay
        println("each transaction takes $delay longer")
    }
}
