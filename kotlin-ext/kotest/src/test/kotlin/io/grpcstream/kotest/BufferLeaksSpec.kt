package io.grpcstream.kotest

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.string.shouldContain
import io.netty.util.ResourceLeakDetector

class BufferLeaksSpec :
    StringSpec({
        val detector = ResourceLeakDetector<Any>(Any::class.java, 1)
        val leaks =
            BufferLeaks {
                val decoy = Any()
                detector.track(decoy)!!.close(decoy)
            }
        detector.setLeakListener(leaks)

        "what was dropped without a release is named, once" {
            detector.track(Any()).shouldNotBeNull()

            leaks.collect().also { it shouldHaveSize 1 }.single() shouldContain "Object was dropped"
            leaks.collect().shouldBeEmpty()
        }

        "what was released is not" {
            val resource = Any()
            detector.track(resource)!!.close(resource)

            leaks.collect().shouldBeEmpty()
        }

        "Netty's own buffers are watched in this run" {
            BufferLeaks.ofNetty
                .shouldNotBeNull()
                .collect()
                .shouldBeEmpty()
        }
    })
