package io.grpcstream.samples.guide

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe

/** The page's specs run by themselves: [GreeterSpec] and [GreetersSpec]. */
class GuideTestingSpec :
    StringSpec({
        timeout = 120_000

        "peers of a test may differ" { peersThatDiffer() }

        "two peers in memory do for Java" {
            blocking { Testing.greetInMemory(Services.Greeter(), "Ada") } shouldBe "Hello, Ada!"
        }
    })
