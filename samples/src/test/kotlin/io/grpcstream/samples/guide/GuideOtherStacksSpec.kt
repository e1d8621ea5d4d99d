package io.grpcstream.samples.guide

import io.grpcstream.kotlin.connectAndAwait
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.coroutineScope

/** How other stacks' streams carry gRPC is shown, and tested, beside the core's tests. */
class GuideOtherStacksSpec :
    StringSpec({
        timeout = 120_000

        "a protocol beside gRPC, with back-pressure on its bytes" {
            guidePeers {
                val server = peer { }
                val caller = calling()
                coroutineScope {
                    serveEcho(server.host(), this)
                    caller.host().connectAndAwait(server.addresses().first())
                    echo(caller.host(), server.peerId(), "Hello") shouldBe "Hello"
                }
            }
        }
    })
