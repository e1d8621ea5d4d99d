package io.grpcstream.samples

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldStartWith

class ReadmeExampleSpec :
    StringSpec({
        timeout = 120_000

        "the README's example in Kotlin greets the peer that calls, once for each name" {
            val greetings = greet(listOf("Ada", "Grace"))
            greetings.size shouldBe 2
            greetings[0] shouldStartWith "Hello, Ada at 12D3KooW"
            greetings[1] shouldStartWith "Hello, Grace at 12D3KooW"
        }
    })
