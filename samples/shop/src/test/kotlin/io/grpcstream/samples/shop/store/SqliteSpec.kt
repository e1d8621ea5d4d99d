package io.grpcstream.samples.shop.store

import io.grpcstream.samples.shop.inventory.StockStore
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import java.nio.file.Files
import java.sql.SQLException
import kotlin.time.Duration.Companion.seconds

/** The stores on SQLite, in one file for all who open it. */
class SqliteSpec :
    StringSpec({
        val folder = tempdir().toPath()
        var files = 0

        for ((name, check) in STORE_CHECKS) {
            name {
                val file = folder.resolve("${files++}.db")
                check { Database.open("jdbc:sqlite:$file") }
            }
        }

        "a store whose file is gone is not there, takes nothing, and is there when the file is" {
            val file = folder.resolve("lost.db")
            Database.open("jdbc:sqlite:$file").use { database ->
                val stock = StockStore(database)
                stock.open(emptyList())
                val elsewhere = folder.resolve("elsewhere.db")
                Files.move(file, elsewhere)
                shouldThrow<SQLException> { stock.release("o1") }
                stock.isThere() shouldBe false
                shouldThrow<SQLException> { stock.release("o1") }
                Files.exists(file) shouldBe false
                Files.move(elsewhere, file)
                withTimeout(30.seconds) { while (!stock.isThere()) yield() }
                stock.release("o1").orderId shouldBe "o1"
            }
        }

        "a database of another kind is refused" {
            shouldThrow<IllegalArgumentException> { Database.open("jdbc:h2:mem:shop") }
        }
    })
