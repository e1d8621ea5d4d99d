package io.grpcstream.samples.shop.store

import io.grpcstream.samples.shop.demo.Shop
import io.grpcstream.samples.shop.demo.Trial
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.DisplayName
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.time.Duration.Companion.minutes

/** The stores, and the whole shop, on PostgreSQL. */
@Tag("interop")
class PostgresTest {
    @TestFactory
    @DisplayName("What holds of the stores on SQLite holds on PostgreSQL")
    fun stores(): List<DynamicTest> =
        STORE_CHECKS.map { (name, check) ->
            dynamicTest(name) {
                val url = server.emptyDatabase()
                runBlocking { withTimeout(1.minutes) { check { Database.open(url) } } }
            }
        }

    @Test
    @DisplayName("Each process is killed while orders come in: none is lost, none is doubled")
    fun shop(
        @TempDir folder: Path,
    ) {
        val url = server.emptyDatabase()
        val outcome =
            Shop(folder, { url }, ::println).use { shop ->
                runBlocking(Dispatchers.Default) {
                    withTimeout(5.minutes) {
                        shop.start()
                        Trial(shop, ORDERS, ::println).run()
                    }
                }
            }
        assertEquals("", outcome.entries.filterNot { it.holds }.joinToString("\n"))
    }

    private companion object {
        private const val ORDERS = 25

        private lateinit var server: PostgresServer

        @JvmStatic
        @BeforeAll
        fun start() {
            val started = PostgresServer.startOrNull()
            check(started != null || System.getenv("CI") != "true") { "no PostgreSQL here" }
            assumeTrue(started != null, "no PostgreSQL here (Debian's package \"postgresql\")")
            server = started!!
        }

        @JvmStatic
        @AfterAll
        fun end() {
            if (::server.isInitialized) server.close()
        }
    }
}
