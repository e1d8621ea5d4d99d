package io.grpcstream.samples.shop.demo

import io.grpcstream.samples.shop.Settings
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import java.nio.file.Files
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.minutes

private val PATIENCE = 5.minutes
private const val ORDERS = 50

/**
 * A shop in five processes, in which customers order while each of them is killed and started again.
 * Then it prints the trace of an order, and the books. Ends with 0 only if they balance.
 *
 * With `--store URL`, of PostgreSQL, all keep what they must there; with `--store sqlite`, the default,
 * in a file for each service.
 */
fun main(args: Array<String>) {
    val store = Settings.of(args).text("store", "sqlite")
    val folder = Files.createTempDirectory("shop")
    val outcome =
        try {
            val shop = if (store == "sqlite") Shop(folder) else Shop(folder, { store })
            shop.use {
                runBlocking(Dispatchers.Default) {
                    withTimeout(PATIENCE) {
                        it.start()
                        println("${it.all.joinToString { it.name }} serve")
                        Trial(it, ORDERS, ::println).run()
                    }
                }
            }
        } finally {
            folder.toFile().deleteRecursively()
        }
    println("\nOne order:")
    outcome.trace.lines().forEach { println("  $it") }
    println("\nThe books:")
    outcome.entries.forEach(::println)
    exitProcess(if (outcome.entries.all { it.holds }) 0 else 1)
}
