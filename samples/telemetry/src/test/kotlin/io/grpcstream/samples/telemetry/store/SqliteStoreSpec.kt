package io.grpcstream.samples.telemetry.store

import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.grpcstream.samples.telemetry.Batch
import io.grpcstream.samples.telemetry.Reading
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.io.IOException
import java.nio.file.Path
import java.time.Instant

private val ADA = PeerId.of(PrivateKey.generateEd25519().publicKey())
private val GRACE = PeerId.of(PrivateKey.generateEd25519().publicKey())
private val TIME = Instant.ofEpochMilli(1_700_000_000_123)

class SqliteStoreSpec :
    StringSpec({
        lateinit var file: Path

        beforeTest { file = tempdir().toPath().resolve("readings.db") }

        "what is stored is there when the file is opened again" {
            SqliteStore(file).use {
                it.append(listOf(arrival(ADA, "ada", first = 1, count = 3))) shouldBe
                    listOf(Added(3, 0))
                it.append(
                    listOf(
                        arrival(GRACE, "grace", first = 6, count = 2, dropped = 5, later = 1),
                        arrival(ADA, "ada two", first = 4, count = 1, later = 2),
                    ),
                ) shouldBe listOf(Added(2, 5), Added(1, 0))
            }
            SqliteStore(file).use { store ->
                store
                    .devices(
                        10,
                    ).map { listOf(it.peer, it.name, it.lastSeen, it.stored, it.dropped) } shouldBe
                    listOf(
                        listOf(ADA, "ada two", TIME.plusMillis(2), 4L, 0L),
                        listOf(GRACE, "grace", TIME.plusMillis(1), 2L, 5L),
                    )
                store.devices(1).map { it.peer } shouldBe listOf(ADA)
                store.runs().associate {
                    it.peer to
                        listOf(
                            it.stored,
                            it.dropped,
                            it.last,
                        )
                } shouldBe
                    mapOf(ADA to listOf(4L, 0L, 4L), GRACE to listOf(2L, 5L, 7L))
            }
        }

        "a reading that comes twice is stored once" {
            SqliteStore(file).use {
                it.append(listOf(arrival(ADA, "ada", first = 1, count = 3)))
                it.append(listOf(arrival(ADA, "ada", first = 1, count = 3))) shouldBe
                    listOf(Added(0, 0))
                it.append(listOf(arrival(ADA, "ada", first = 2, count = 3))) shouldBe
                    listOf(Added(1, 0))
                it.runs().single().stored shouldBe 4
            }
        }

        "each run of a device counts from one, and so does each device" {
            SqliteStore(file).use {
                val both =
                    listOf(
                        arrival(ADA, "ada", first = 1, count = 3),
                        arrival(ADA, "ada", first = 1, count = 3, run = Long.MIN_VALUE),
                        arrival(GRACE, "grace", first = 1, count = 3),
                    )
                it.append(both) shouldBe List(3) { Added(3, 0) }
                it.devices(10).single { device -> device.peer == ADA }.stored shouldBe 6
            }
        }

        "what is no file of SQLite's is refused with its reason" {
            file.toFile().writeText(
                "something else entirely, long enough to be looked at\n".repeat(20),
            )
            shouldThrow<IOException> { SqliteStore(file) }.message shouldContain "not a database"
        }
    })

private fun arrival(
    peer: PeerId,
    name: String,
    first: Long,
    count: Int,
    dropped: Long = 0,
    run: Long = 1,
    later: Long = 0,
) = Arrival(
    peer,
    name,
    TIME.plusMillis(later),
    Batch(
        run,
        first,
        List(count) { Reading(TIME, "temperature", 20.0 + it) },
        dropped,
        waiting = 0,
    ),
)
