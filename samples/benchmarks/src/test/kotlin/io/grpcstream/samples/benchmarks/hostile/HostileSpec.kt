package io.grpcstream.samples.benchmarks.hostile

import io.grpcstream.samples.benchmarks.Meter
import io.grpcstream.samples.benchmarks.await
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.doubles.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.milliseconds

/** That each attack is one, and that what it costs an honest caller is noticed. */
class HostileSpec :
    FunSpec({
        for (attack in Attack.entries) {
            test("${attack.title} is carried out, and an honest caller's calls go on") {
                Besieged(log = null).use { besieged ->
                    val meter = Meter()
                    Threads(attack, besieged.target).use { threads ->
                        await("two ${attack.unit}") { threads.loot().done >= 2 }
                        besieged.caller.start(meter)
                        await("calls in spite of $attack") { meter.count() >= 20 }
                        if (attack.isTurnedAway) {
                            await("$attack to be turned away") { threads.loot().refused > 0 }
                        } else {
                            withClue("of the attack") { threads.loot().refused shouldBe 0 }
                        }
                        besieged.caller.stop()
                    }
                    withClue("of the honest caller") { besieged.caller.failures shouldBe 0 }
                    await("the attacker to be forgotten") { besieged.host.connections().size == 1 }
                }
            }
        }

        test("an attacker in a process of its own is measured beside rounds without it") {
            Besieged(log = null).use { besieged ->
                val siege = Siege(rounds = 2, window = 500.milliseconds)
                val outcome = besieged.endure(Attack.CONNECT, siege)
                outcome.ratios shouldHaveSize 2
                outcome.ratios.first() shouldBeGreaterThan 0.0
                outcome.loots.sumOf { it.done } shouldBeGreaterThan 0
                outcome.newcomers shouldBeGreaterThan 0
                withClue(outcome.refusals) { outcome.refusals.values.sum() shouldBeGreaterThan 0 }
                outcome.failures shouldBe 0
            }
        }

        test("a call of the honest caller that fails is counted") {
            Besieged(log = null).use { besieged ->
                val meter = Meter()
                besieged.caller.start(meter)
                await("a call") { meter.count() > 0 }
                besieged.host.connections().forEach { it.close() }
                await("a failure") { besieged.caller.failures > 0 }
                besieged.caller.stop()
            }
        }
    })
