package io.grpcstream.samples.shop

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

/** What a process is told. */
class SettingsSpec :
    StringSpec({
        fun settings(vararg args: String) =
            Settings.of(arrayOf(*args), mapOf("SHOP_STORE" to "from afar", "SHOP_ADMIT" to "a, b"))

        "the command line goes before the environment, and that before the default" {
            settings("--store", "here").text("store", "nowhere") shouldBe "here"
            settings().text("store", "nowhere") shouldBe "from afar"
            settings().text("peers", "shop") shouldBe "shop"
            settings().list("admit", "") shouldContainExactly listOf("a", "b")
        }

        "what nobody has asked for is refused, and so is what is no pair" {
            val settings = settings("--stroe", "here")
            settings.text("store", "nowhere")
            shouldThrow<IllegalArgumentException> {
                settings.requireNoOthers()
            }.message shouldContain
                "there is no --stroe, but --store"
            shouldThrow<IllegalArgumentException> { settings("--store") }
            shouldThrow<IllegalArgumentException> { settings("store", "here") }
        }
    })
