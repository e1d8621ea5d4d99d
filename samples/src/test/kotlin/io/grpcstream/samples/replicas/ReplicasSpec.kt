package io.grpcstream.samples.replicas

import io.grpcstream.kotlin.use
import io.grpcstream.kotlin.withGrpcPeer
import io.grpcstream.samples.SampleProcess
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.comparables.shouldBeBetween
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime

private const val PER_SECOND = 1_000
private const val CALLS = 300L // enough to see who gets them

/**
 * Runs the sample as its users do, in processes of its own, with calls under way all the time. How long
 * things take is printed, and what counts is which calls fail.
 */
class ReplicasSpec :
    StringSpec({
        lateinit var replicas: Replicas

        beforeSpec {
            val folder = tempdir().toPath()
            replicas = Replicas(listOf("ada", "grace", "edsger").map { ReplicaProcess(it, folder) })
            withContext(Dispatchers.IO) { replicas.start() }
        }

        afterSpec { replicas.close() }

        /** Calls all three while [block] runs, which begins once all of them answer. */
        suspend fun called(
            what: String,
            retries: Boolean = false,
            timeout: Duration = 30.seconds,
            block: suspend (Tally) -> Unit,
        ): Tally =
            withContext(Dispatchers.Default) {
                withTimeout(2.minutes) {
                    withGrpcPeer({}) { caller ->
                        caller.host().greeters(replicas.addresses, retries, timeout).use {
                            val load = Load(it, PER_SECOND)
                            load.during { tally -> replicas.allAnswer(tally, 1) }
                            load.during { tally -> block(tally) }
                        }
                    }
                }
            }.also { println("$what: ${replicas.told(it)}") }

        "three replicas get equal shares of the calls" {
            val tally = called("even spread") { it.grows(CALLS) }
            tally.failures().shouldBeEmpty()
            val share = tally.ended() / replicas.all.size
            replicas.all.forEach { tally.answered(it.peer).shouldBeBetween(share - 5, share + 5) }
        }

        "one that is killed fails the calls that it has, and is called once it is back" {
            val killed = replicas.all[0]
            val tally =
                called("killed, no retries") {
                    it.grows(CALLS)
                    killed.kill()
                    it.grows(CALLS)
                    killed.start()
                    println("called again after ${measureTime { killed.answers(it, 1) }}")
                }
            tally.failures().forEach {
                it shouldContain "UNAVAILABLE"
                it shouldContain "${killed.peer}"
            }
            tally.failed() shouldBeLessThan CALLS
        }

        "with a retry policy no call fails when one is killed" {
            val killed = replicas.all[1]
            val tally =
                called("killed, with retries", retries = true) {
                    it.grows(CALLS)
                    killed.kill()
                    it.grows(CALLS)
                    killed.start()
                    println("called again after ${measureTime { killed.answers(it, 1) }}")
                }
            tally.failures().shouldBeEmpty()
        }

        "no call fails, without a retry policy, while all are restarted one after the other" {
            val tally =
                called("rolling restart") {
                    for (replica in replicas.all) {
                        it.grows(CALLS)
                        replica.stop()
                        replica.start()
                        replica.answers(it, 1)
                    }
                }
            tally.failures().shouldBeEmpty()
        }

        "one that reports that it does not serve gets no calls, until it reports otherwise" {
            val ill = replicas.all[2]
            val tally =
                called("not serving") {
                    ill.become(Mood.NOT_SERVING)
                    it.leavesAlone(ill)
                    ill.become(Mood.WELL)
                    ill.answers(it, 1)
                }
            tally.failures().shouldBeEmpty()
        }

        "one whose calls fail is left alone, and comes back" {
            val ill = replicas.all[0]
            called("failing") {
                ill.become(Mood.FAILING)
                it.fails(1)
                it.leavesAlone(ill)
                ill.become(Mood.WELL)
                ill.answers(it, 1)
            }
        }

        "who does not say which replica to run, and where, is told how" {
            SampleProcess("io.grpcstream.samples.replicas.ReplicaKt", listOf("a.key")).use {
                it.await(Regex("^Say who the replica is .*")) shouldContain "KEYFILE"
                it.process.waitFor() shouldBe 2
            }
        }

        "one that answers too late is left alone, and comes back" {
            val ill = replicas.all[1]
            called("slow", timeout = 2.seconds) {
                ill.become(Mood.SLOW)
                it.fails(1)
                it.leavesAlone(ill)
                ill.become(Mood.WELL)
                ill.answers(it, 1)
            }
        }
    })

/** Waits for so many calls in a row of which none fails, and none is answered by [replica]. */
private suspend fun Tally.leavesAlone(replica: ReplicaProcess) {
    do {
        val failed = failed()
        val answered = answered(replica.peer)
        grows(CALLS)
    } while (failed() > failed || answered(replica.peer) > answered)
}

private fun Replicas.told(tally: Tally): String =
    "${tally.ended()} calls; " + all.joinToString { "${it.name} ${tally.answered(it.peer)}" } +
        "; failed ${tally.failures()}"
